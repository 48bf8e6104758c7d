"""What the checks look at: one argument for all of them."""

from __future__ import annotations

from dataclasses import dataclass

from function.judging.product_view import ProductView, view_product
from function.matching.asked_place import AskedPlace
from function.restoration.analysis import ProductAnalysis, SceneAnalysis


@dataclass(frozen=True)
class Inspection:
    """One picture of the model with one product in it.

    scene         what was found out about scene and answer
    product       what was found out about the product
    product_view  that product beside what its photograph leads one to expect; None when nothing was put in
    asked         where it was asked to stand; None where no place that can be measured was asked for
    """

    scene: SceneAnalysis
    product: ProductAnalysis
    product_view: ProductView | None
    asked: AskedPlace | None = None

    @classmethod
    def of(cls, scene: SceneAnalysis, product: ProductAnalysis, asked: AskedPlace | None = None) -> Inspection:
        """Of the answer that `scene` is about, with `product` cropped out of it."""
        return cls(scene, product, view_product(scene, product), asked)

    @property
    def view(self) -> ProductView:
        """For checks that need the product. Raises ValueError when nothing was put in."""
        if self.product_view is None:
            raise ValueError("nothing was put in: there is no product to look at")
        return self.product_view
