"""The pair that is shipped with the source: a scene, a cut-out product, and where it should stand."""

from __future__ import annotations

from pathlib import Path

DEMO_PAIR = Path(__file__).parents[2] / "tests" / "data" / "demo"
SCENE, PRODUCT = "scene.jpg", "product.png"
PLACEMENT = "on the counter, a little right of the centre, label to the camera"
