"""What a number of pairs will cost, from the table of models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from function.generation.models import ImageModel, model_table
from function.generation.pricing import Usage, usd
from function.manifest.model import Manifest
from function.settings import Settings

TYPICAL_TEXT_TOKENS = 400  # the prompt and a placement of a few words, as billed for the shipped pairs


def estimate(manifests: Iterable[Manifest], settings: Settings) -> str:
    """A sentence: what one picture a pair costs, and what it costs when every pair needs all its attempts."""
    pictures: Counter[str] = Counter()
    most: Counter[str] = Counter()
    for manifest in manifests:
        model = manifest.model or settings.gemini_model
        scenes = 0 if isinstance(manifest.scene, str) else 1
        pictures[model] += 1 + scenes
        most[model] += (manifest.attempts or settings.max_attempts) + scenes
    table = model_table()
    prices = {name: typical_usd(table.find(name)) for name in pictures}
    unknown = [name for name, price in prices.items() if price is None]
    if unknown:
        return f"no price is known for {', '.join(unknown)}: {sum(pictures.values()):,} pictures or more"
    least = sum(prices[name] * count for name, count in pictures.items())
    worst = sum(prices[name] * count for name, count in most.items())
    each = ", ".join(f"{count:,} by {name} at ${prices[name]:.3f}" for name, count in pictures.items())
    return (
        f"about ${least:,.2f} ({each}), at most ${worst:,.2f} when every pair needs all its attempts\n"
        f"        ({table.price_source})"
    )


def typical_usd(model: ImageModel) -> float | None:
    """USD of one picture by `model`: two images and the prompt in, one image out; None without a known price."""
    out = model.output_image_tokens[model.image_size or "1K"]
    prompt = 2 * model.input_image_tokens + TYPICAL_TEXT_TOKENS
    return usd(model, Usage(prompt_tokens=prompt, output_tokens=out, output_image_tokens=out))
