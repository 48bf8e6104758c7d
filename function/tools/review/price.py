"""What making a pair again may cost, said before it is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from function.generation.models import model_table
from function.generation.pricing import typical_usd
from function.settings import InvalidSettingsError, Settings
from function.tools.cli.terminal import counted, limits_here


@dataclass(frozen=True)
class Price:
    """USD of one picture of `model`, and of the most pictures that may be asked for."""

    model: str
    each_usd: float
    pictures: int

    @classmethod
    def of(cls, model: str, pictures: int) -> Price:
        """As the table of models has it; one that it does not list is priced as the dearest."""
        return cls(model, typical_usd(model_table().find(model)), pictures)

    def __str__(self) -> str:
        most = self.each_usd * self.pictures
        pictures = f"{counted(self.pictures, 'picture')} of {self.model}"
        return f"about ${self.each_usd:.3f}, at most ${most:.3f} ({pictures})"


def max_attempts() -> int:
    """Pictures that a pair may cost where it does not say: MAX_ATTEMPTS here, or the function's default."""
    try:
        return limits_here().max_attempts
    except InvalidSettingsError:
        return int(Settings.model_fields["max_attempts"].default)


def prices_of(rows: list[dict[str, object]]) -> dict[str, float]:
    """USD of one picture by each model that the rows name."""
    models = {str(row["model"]) for row in rows if row.get("model")}
    return {model: typical_usd(model_table().find(model)) for model in sorted(models)}
