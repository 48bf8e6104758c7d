"""A product's photographs: one, or several views of it of which the first leads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag

from function.manifest.image_reference import Reference
from function.manifest.placement import Placement, Words, words_of
from function.manifest.quoting import quoted
from function.manifest.strict_model import StrictModel

MAX_PRODUCTS = 4
PRODUCT_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$"  # it stands in prompts, field names and reasons
MAX_VIEWS = 6  # front, back, two sides, top, a detail; more only take the model's attention from the scene


def _distinct_views(views: list[str]) -> list[str]:
    for number, view in enumerate(views):
        if (first := views.index(view)) < number:
            raise ValueError(f"{first} and {number} are the same photograph ({quoted(view)}): name each once")
    return views


Views = Annotated[
    list[Reference],
    Field(
        min_length=1,
        max_length=MAX_VIEWS,
        json_schema_extra={"uniqueItems": True},
        description="photographs of the same product, front, side, detail: the first leads",
    ),
    AfterValidator(_distinct_views),
]


def _list_of_one_is_plain(product: str | list[str]) -> str | list[str]:
    return product[0] if isinstance(product, list) and len(product) == 1 else product


# Told apart by its type, so that what is wrong is said of the one that was meant.
OneOrViews = Annotated[
    Annotated[Reference, Tag("one")] | Annotated[Views, Tag("several")],
    Discriminator(lambda value: "several" if isinstance(value, list) else "one"),
    AfterValidator(_list_of_one_is_plain),
]


class AskedProduct(StrictModel):
    """One of several products that are placed into one scene."""

    name: Annotated[str, StringConstraints(pattern=PRODUCT_NAME)] = Field(
        description="what it is called in the prompt, the sidecar and messages; no two are alike"
    )
    product: OneOrViews
    placement: Words | Placement | None = Field(None, description="where and how this one should stand")

    @property
    def placement_words(self) -> str | None:
        """The placement as the model is told it."""
        return words_of(self.placement)

    @property
    def exact_placement(self) -> Placement:
        """What is asked besides words; empty where that is nothing."""
        return self.placement if isinstance(self.placement, Placement) else Placement()


def _distinct_products(products: list[AskedProduct]) -> list[AskedProduct]:
    names = [one.name.casefold() for one in products]
    if twice := sorted({one.name for one in products if names.count(one.name.casefold()) > 1}):
        raise ValueError(f"two products are called {quoted(twice[0])}: give each a name of its own")
    photographs = sum(len(views_of(one.product)) for one in products)
    if photographs > MAX_VIEWS:
        raise ValueError(f"they have {photographs} photographs together; at most {MAX_VIEWS} are allowed")
    return products


Products = Annotated[
    list[AskedProduct],
    Field(min_length=1, max_length=MAX_PRODUCTS, description="several products in one scene, instead of product"),
    AfterValidator(_distinct_products),
]


def views_of(product: str | Sequence[str]) -> tuple[str, ...]:
    """The references of a product, the leading one first."""
    return (product,) if isinstance(product, str) else tuple(product)


def view_fields(field: str, product: str | Sequence[str]) -> dict[str, str]:
    """The references by what they are called in messages: `product`, `product.1`, `product.2`."""
    return {view_field(field, index): view for index, view in enumerate(views_of(product))}


def view_field(field: str, index: int) -> str:
    """What the photograph `index` (from 0) of the product in `field` is called."""
    return f"{field}.{index}" if index else field
