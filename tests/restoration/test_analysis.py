"""What is put together of one answer: where the result departs from the scene, and which products it is about."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from function.restoration.analysis import Analysis, ProductAnalysis
from function.restoration.relighting import Relighting
from tests.judging.samples import composite, match, outline, photograph, scene


def test_only_the_change_is_altered_and_all_of_the_scene_once_it_is_relit():
    found = scene(composite())
    assert np.array_equal(found.altered, found.change) and not found.altered.all()
    relit = replace(found, relighting=Relighting(np.zeros((2, 2, 3), np.float32)))
    assert relit.altered.shape == found.change.shape and relit.altered.dtype == np.uint8
    assert (relit.altered == 255).all()


def test_the_products_are_each_one_s_in_their_order_and_the_only_one_where_there_are_not_several():
    one = Analysis(scene(composite()), ProductAnalysis(photograph(), match(), outline(), view=0))
    other = replace(one, product=replace(one.product, view=1))
    assert [product.view for product in other.products] == [1]
    both = Analysis(one.scene, ProductAnalysis(photograph(), None, outline()), (other, one))
    assert [product.view for product in both.products] == [1, 0]
    assert all(product.match is not None for product in both.products)
