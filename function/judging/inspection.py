"""The one argument of all checks: what is known about scene and product in one generated image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from function.judging.colour_difference import ColourDifference, colour_difference
from function.judging.crop_product import crop_product
from function.judging.outline_pose import OutlinePose, outline_pose
from function.judging.product_crop import ProductCrop
from function.matching.asked_place import AskedPlace
from function.restoration.analysis import ProductAnalysis, SceneAnalysis


@dataclass(frozen=True)
class Inspection:
    """One generated image with one product in it.

    scene         the analysis of the scene in it
    product       the analysis of the product in it
    product_crop  the product beside what its photograph leads one to expect; None when nothing was inserted
    asked         the place that the manifest asks for; None where it cannot be measured
    """

    scene: SceneAnalysis
    product: ProductAnalysis
    product_crop: ProductCrop | None
    asked: AskedPlace | None = None

    @classmethod
    def of(cls, scene: SceneAnalysis, product: ProductAnalysis, asked: AskedPlace | None = None) -> Inspection:
        """With the product cropped out of the generated image."""
        return cls(scene, product, crop_product(scene, product), asked)

    @property
    def crop(self) -> ProductCrop:
        """For checks that need the product. Raises ValueError when nothing was inserted."""
        if self.product_crop is None:
            raise ValueError("no product was inserted: there is nothing to crop")
        return self.product_crop

    @cached_property
    def colour_difference(self) -> ColourDifference | None:
        """Of the product's colours from the photograph's; None where too little of it is visible."""
        return colour_difference(self.crop)

    @cached_property
    def outline(self) -> OutlinePose | None:
        """The pose of a product without matched keypoints; None where its outline is not that of its photograph."""
        return outline_pose(self.product.photograph, self.crop)
