"""What the checks look at: one argument for all of them."""

from __future__ import annotations

from dataclasses import dataclass

from function.judging.product_view import ProductView, view_product
from function.restoration.analysis import Analysis


@dataclass(frozen=True)
class Inspection:
    """One picture of the model with one product in it.

    analysis      what was found out about the picture
    product_view  the product beside what its photograph leads one to expect; None when nothing was put in
    """

    analysis: Analysis
    product_view: ProductView | None

    @classmethod
    def of(cls, analysis: Analysis) -> Inspection:
        """Crops the product out of the picture that `analysis` is about."""
        return cls(analysis, view_product(analysis))

    @property
    def view(self) -> ProductView:
        """For checks that need the product. Raises ValueError when nothing was put in."""
        if self.product_view is None:
            raise ValueError("nothing was put in: there is no product to look at")
        return self.product_view
