"""What shrinking the inputs saves, by billing rule: `python -m tests.bench.saving_table` prints the table."""

from __future__ import annotations

from function.generation.models import BillingRule, model_table
from function.generation.pricing import CHARS_PER_TOKEN, Usage, image_tokens, usd
from function.generation.prompt import composite_prompt
from function.imaging.frame import fit_within, plan_letterbox
from function.settings import DEFAULT_MODEL

SCENE_SIZE, PRODUCT_SIZE = (3840, 2160), (2048, 2048)
RULES: dict[BillingRule, str] = {
    "flat": "the same for every image (what logged responses of this model show)",
    "tiles": "258 for every 768 px tile",
    "crop_unit": "258 for every tile of the documented crop unit",
}
LONGEST = (768, 384)


def main() -> None:
    """Print the table for the default model."""
    model = model_table().find(DEFAULT_MODEL)
    text = len(composite_prompt(None, pose="stand", product_is_cut_out=True, is_letterboxed=False)) // CHARS_PER_TOKEN
    print(f"A {SCENE_SIZE[0]}x{SCENE_SIZE[1]} scene and a {PRODUCT_SIZE[0]}x{PRODUCT_SIZE[1]} product, `{model.id}`:\n")
    print("| if images are billed | full size | at 768 px | images save | the whole call saves | at 384 px |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for rule, words in RULES.items():
        full = tokens([SCENE_SIZE, PRODUCT_SIZE], rule, model.input_image_tokens)
        sent = [tokens(sent_sizes(model.native_sizes, side), rule, model.input_image_tokens) for side in LONGEST]
        before, after = (price(model, text, count) for count in (full, sent[0]))
        print(
            f"| {words} | {full:,} | {sent[0]:,} | {100 * (1 - sent[0] / full):.1f} % "
            f"| {100 * (1 - after / before):.1f} % | {sent[1]:,} |"
        )


def sent_sizes(native_sizes: dict[str, tuple[int, int]], max_px: int) -> list[tuple[int, int]]:
    """Sizes of scene and product as sent."""
    return [plan_letterbox(SCENE_SIZE, native_sizes, max_px).sent_size, fit_within(PRODUCT_SIZE, max_px)]


def tokens(sizes: list[tuple[int, int]], rule: BillingRule, flat: int) -> int:
    """Input tokens of all images."""
    return sum(image_tokens(size, rule, flat) for size in sizes)


def price(model, text: int, images: int) -> float:
    """USD of one call."""
    output = model.output_image_tokens["1K"]
    usage = Usage(
        prompt_tokens=text + images,
        prompt_image_tokens=images,
        output_tokens=output,
        output_image_tokens=output,
    )
    return usd(model, usage)


if __name__ == "__main__":
    main()
