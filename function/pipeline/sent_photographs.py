"""Which photographs a model is sent: of every product the leading one, then as many others as it takes."""

from __future__ import annotations

from function.generation.product_words import ShownProduct
from function.manifest.parse import check_products
from function.pipeline.context import PairContext, Photograph

FIRST_NUMBER = 2  # of a photograph in the prompt: [1] is the scene


def choose_photographs(pair: PairContext) -> tuple[tuple[Photograph, ...], tuple[ShownProduct, ...]]:
    """The photographs in the order in which they are sent, and of several products what the prompt says of each. Raises
    InvalidManifestError where the model takes fewer images than there are products and the scene."""
    products = pair.by_product(pair.decoded_sources().photographs)
    check_products(pair.manifest, pair.model)  # another one of the chain than was asked for when it was read
    room = max(1, pair.model.max_input_images - 1)
    leading = [(index, views[0]) for index, views in enumerate(products)]
    others = [(index, view) for index, views in enumerate(products) for view in views[1:]]
    sent = (leading + others)[:room]
    shown = tuple(
        ShownProduct(
            name=asked.name,
            placement=asked.placement_words,
            is_cut_out=products[index][0].cut.is_sure,
            images=tuple(number for number, (whose, _) in enumerate(sent, start=FIRST_NUMBER) if whose == index),
        )
        for index, asked in enumerate(pair.manifest.products or ())
    )
    return tuple(view for _, view in sent), shown
