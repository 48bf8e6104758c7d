"""What a number of pairs will cost, from the table of models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from function.generation.models import model_table
from function.generation.pricing import typical_usd
from function.manifest.model import Manifest
from function.settings import Settings
from function.tools.cli.terminal import counted

PICTURE_S, AT_ONCE = 15.0, 8  # one picture takes 10 to 20 s, and one instance asks for eight at once


def by_batch(manifests: Iterable[Manifest], settings: Settings) -> str:
    """A sentence: what the pairs cost in batches when one picture each is enough, beside what they cost at once, and
    how long either may take."""
    table = model_table()
    pictures = [_kind(manifest, settings) for manifest in manifests]
    usd = sum(typical_usd(table.find(name), images=images) for name, images in pictures)
    minutes = max(1, round(len(pictures) * PICTURE_S / AT_ONCE / 60))
    share = table.batch.share_of_price
    return (
        f"by batch about ${usd * share:,.2f}, mostly within 24 h, and what is open at finish_by (default: 48 h) at "
        f"full price; at once about ${usd:,.2f}, within some {minutes:,} min for each instance that works on it"
    )


def estimate(manifests: Iterable[Manifest], settings: Settings) -> str:
    """A sentence: what one picture a pair costs (and one of a scene from text), and what it costs when every pair needs
    all its attempts."""
    pictures: Counter[tuple[str, int]] = Counter()  # by model, and by how many images it is sent for one
    most: Counter[tuple[str, int]] = Counter()
    for manifest in manifests:
        scenes = 0 if isinstance(manifest.scene, str) else 1
        kind = _kind(manifest, settings)
        pictures[kind] += 1 + scenes
        most[kind] += (manifest.attempts or settings.max_attempts) + scenes
    table = model_table()
    prices = {(name, images): typical_usd(table.find(name), images=images) for name, images in pictures}
    unknown = [name for name in dict.fromkeys(name for name, _ in pictures) if name not in table.models]
    note = f"; no price is known for {', '.join(unknown)}: priced as {table.most_expensive().id}" if unknown else ""
    least = sum(prices[kind] * count for kind, count in pictures.items())
    worst = sum(prices[kind] * count for kind, count in most.items())
    each = ", ".join(
        f"{counted(count, 'picture')} by {kind[0]} at ${prices[kind]:.3f} a picture" for kind, count in pictures.items()
    )
    most_pictures = counted(sum(most.values()), "picture")
    return (
        f"about ${least:,.2f} ({each}), at most ${worst:,.2f} ({most_pictures}) when every pair needs all its "
        f"attempts\n"
        f"        ({table.price_source}{note})"
    )


def _kind(manifest: Manifest, settings: Settings) -> tuple[str, int]:
    """The model of a pair, and how many images it is shown, as far as it takes them: a marked copy of the scene is one
    of them where the model is shown places so."""
    model = manifest.model or settings.gemini_model
    marked = model_table().find(model).spot_shown == "marked_scene" and manifest.exact_placement.has_outline
    return model, 1 + sum(map(len, manifest.product_fields)) + marked
