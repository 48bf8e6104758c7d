"""What a result is made of, as its credentials name it: the scene, the photographs of products, the model's answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from function.sidecar.files import ProvenanceRecord

Role = Literal["scene", "product", "answer"]
# C2PA 2.2, 10.2: what was edited, and what was put into it.
RELATIONSHIPS: dict[Role, str] = {"scene": "parentOf", "product": "componentOf", "answer": "componentOf"}
TITLES: dict[Role, str] = {"scene": "scene", "product": "product", "answer": "the model's answer"}


@dataclass(frozen=True)
class Ingredient:
    """One of them. The picture reveals neither names nor addresses of files: a digest is enough for
    those who have them.

    number   among those of its role, from 1
    found    what its own credentials say; None where it has none
    places   addresses of assertions in there that say where it was taken; a result is made without them
    archive  it as C2PA's library stores an ingredient, with its credentials; without the library those as they lie in
             the file; None without them
    """

    role: Role
    mime_type: str
    sha256: str
    number: int = 1
    found: ProvenanceRecord | None = None
    archive: bytes | None = None
    places: tuple[str, ...] = ()

    def without_credentials(self) -> Ingredient:
        """The same as a file that has none."""
        return replace(self, archive=None, places=())

    @property
    def label(self) -> str:
        """What the credentials call it among themselves."""
        return self.role if self.number == 1 else f"{self.role}-{self.number}"

    def definition(self) -> dict[str, Any]:
        """As a manifest's definition holds it."""
        return {
            "label": self.label,
            "title": TITLES[self.role] if self.number == 1 else f"{TITLES[self.role]} {self.number}",
            "format": self.mime_type,
            "relationship": RELATIONSHIPS[self.role],
            "description": f"SHA-256 {self.sha256}",
        }
