"""One pair on its way through the steps: what it was given, and what the steps have made of it so far.

Sizes are (width, height); pictures are uint8 arrays (height, width, channels).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, TypeVar

import numpy as np

from function.deadline import Deadline
from function.generation.model_chain import ModelChain
from function.generation.models import ImageModel
from function.generation.paid_calls import PaidCalls
from function.generation.product_words import ShownProduct
from function.generation.prompt import WORDING, Wording
from function.generation.spot_words import Mark
from function.imaging.formats import FORMATS, WriteFormat
from function.imaging.frame import Frame, Size
from function.imaging.resize import Box
from function.judging.judge import Judgement
from function.manifest.model import Manifest, ScenePrompt
from function.matching.asked_place import AskedPlace
from function.matching.cutout.cut_out import CutOut
from function.matching.place import Place
from function.pipeline.fetch import Source
from function.pipeline.record import RunRecord
from function.pipeline.resources import PairResources
from function.pipeline.scene_pixels import Scene
from function.pipeline.targets import Target
from function.provenance.credentials import Credentials
from function.provenance.ingredient import Ingredient
from function.restoration.analysis import Analysis
from function.restoration.product_reference import ProductReference
from function.settings import Identity, Settings
from function.sidecar.files import ProvenanceRecord, ResultRecord

T = TypeVar("T")


@dataclass(frozen=True)
class Photograph:
    """The product cut out, at most MAX_PRODUCT_SIDE_PX, and its size before that; and as it is sent, cut out where that
    is sure: bytes with their media type, and their size in pixels."""

    cut: CutOut
    icc: bytes | None
    size: Size
    sent: tuple[bytes, str]
    sent_size: Size


@dataclass(frozen=True)
class Decoded:
    """The sources in memory. `small_scene` (h, w, 3) is what the analysis and the model's picture are made from;
    `product` is the leading photograph, `others` are those after it; `grounds` (h, w) are the placements' masks by
    field."""

    scene: Scene
    small_scene: np.ndarray
    product: Photograph
    others: tuple[Photograph, ...] = ()
    grounds: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def photographs(self) -> tuple[Photograph, ...]:
        """All of them, in the manifest's order."""
        return self.product, *self.others


@dataclass(frozen=True)
class Prepared:
    """A pair ready to be sent to one model.

    images          [1] the scene in its frame, [2] the product (of several each), then as many other photographs
                    as the model takes, then the marked copy of the scene where there is one: bytes with their media
                    type
    product_future  begun in the background: the product (h, w, 4) in the scene's colour space, and what is looked for
                    of it in every generated picture
    other_futures   the same, of the photographs after the leading one, sent or not
    shown           of several products what the prompt says of each
    asked           where the product is to stand; None where nothing is asked that can be measured
    asked_each      the same of each of several products; none at all of one
    mark            of the marked copy of the scene; None where the place is told in words
    """

    frame: Frame
    images: tuple[tuple[bytes, str], ...]
    product_future: Future[tuple[np.ndarray, ProductReference]]
    product_is_cut_out: bool
    is_letterboxed: bool
    base_seed: int
    targets: tuple[Target, ...]
    asked: AskedPlace | None = None
    asked_each: tuple[AskedPlace | None, ...] = ()
    other_futures: tuple[Future[tuple[np.ndarray, ProductReference]], ...] = ()
    shown: tuple[ShownProduct, ...] = ()
    mark: Mark | None = None

    @property
    def photographs_sent(self) -> int:
        """How many of the images show products."""
        return len(self.images) - 1 - (self.mark is not None)

    @property
    def ready(self) -> tuple[Future[tuple[np.ndarray, ProductReference]], ...]:
        """Of all photographs, in the manifest's order."""
        return self.product_future, *self.other_futures


@dataclass(frozen=True)
class Sketch:
    """The scene with the product laid into it, as it is sent.

    place  of the product in the scene
    image  bytes with their media type
    box    (x, y, width, height) of the product in shares 0..1 of that image
    """

    place: Place
    image: tuple[bytes, str]
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Candidate:
    """One picture of the model that shows something: (h, w, 3) in the scene's colour space, and what was found."""

    picture: np.ndarray
    analysis: Analysis
    judgement: Judgement
    is_classical: bool = False  # no answer of the model at all
    ingredient: Ingredient | None = None  # the answer that it was made from

    @property
    def method(self) -> Literal["model", "sketch", "classical"]:
        """How the product was placed: by the model, by a sketch that the model lit, or without the model."""
        if self.is_classical:
            return "classical"
        return "model" if self.analysis.product.composited is None else "sketch"

    @property
    def rank(self) -> tuple[bool, float]:
        """Accepted before others, then by score."""
        return self.judgement.verdict == "accepted", self.judgement.score


@dataclass(frozen=True)
class FinishedPicture:
    """One picture, encoded. `shown` is the part of the scene that it shows: x, y, width, height in the scene's pixels;
    None where all of it is shown."""

    content: bytes
    format: WriteFormat
    size: Size
    name: str | None = None
    shown: Box | None = None
    provenance: ProvenanceRecord | None = None  # once it is signed

    @property
    def suffix(self) -> str:
        """Of its file name, with the dot."""
        return FORMATS[self.format].suffix

    @property
    def mime_type(self) -> str:
        """The media type of the bytes."""
        return FORMATS[self.format].mime_type

    def record(self, uri: str) -> ResultRecord:
        """What the sidecar says of it."""
        return ResultRecord(
            name=self.name,
            uri=uri,
            mime_type=self.mime_type,
            width=self.size[0],
            height=self.size[1],
            bytes=len(self.content),
            sha256=hashlib.sha256(self.content).hexdigest(),
            shown=self.shown,
            provenance=self.provenance,
        )


@dataclass(frozen=True)
class Composite:
    """What a pair has become: the pictures that its manifest asks for, in that order, one at least."""

    status: Literal["accepted", "review"]
    pictures: tuple[FinishedPicture, ...]

    @property
    def first(self) -> FinishedPicture:
        """The one that stands for all of them."""
        return self.pictures[0]


@dataclass
class PairContext:
    """What every step is handed. The fields below `resources` are filled in by the steps, in their order."""

    manifest: Manifest
    sources: dict[str, Source]
    calls: PaidCalls
    settings: Settings
    deadline: Deadline
    record: RunRecord
    resources: PairResources
    models: ModelChain
    credentials: Credentials = field(default_factory=Credentials)
    wording: Wording = WORDING

    model: ImageModel = field(init=False)  # the one that is asked now
    decoded: Decoded | None = None  # survives a change of the model
    prepared: Prepared = field(init=False)
    best: Candidate = field(init=False)
    picture: np.ndarray = field(init=False)  # restored, in the scene's size
    composite: Composite = field(init=False)

    @property
    def photograph_fields(self) -> tuple[str, ...]:
        """What the product's photographs are called among the sources, in the manifest's order: the first leads."""
        return tuple(field for fields in self.manifest.product_fields for field in fields)

    def by_product(self, photographs: Sequence[T]) -> list[tuple[T, ...]]:
        """What belongs to the `photographs`, all in the manifest's order, for each product."""
        rest = iter(photographs)
        return [tuple(islice(rest, len(fields))) for fields in self.manifest.product_fields]

    @property
    def max_px(self) -> int:
        """Longest side that is sent to the model."""
        return self.manifest.max_px or self.settings.max_px

    @property
    def max_attempts(self) -> int:
        """How often the product may be placed."""
        return self.manifest.attempts or self.settings.max_attempts

    @property
    def identity(self) -> Identity:
        """Whose pixels the product is to have; a plain upscale is the model's. One of several products cannot be laid
        into the scene, though the environment or a style asks it of every pair."""
        if self.manifest.restore == "off":
            return "model"
        asked = self.manifest.identity or self.settings.identity
        return "auto" if asked == "exact" and self.manifest.products is not None else asked

    @property
    def max_calls(self) -> int:
        """Pictures that may be paid for: a scene generated from text counts as one more."""
        return self.max_attempts + isinstance(self.manifest.scene, ScenePrompt)

    @property
    def requested_model(self) -> str:
        """The model that is wanted; the chain stands in for it."""
        return self.manifest.model or self.settings.gemini_model

    def decoded_sources(self) -> Decoded:
        """Both sources, after the step that decodes them."""
        if self.decoded is None:
            raise RuntimeError("the sources are not decoded yet")
        return self.decoded
