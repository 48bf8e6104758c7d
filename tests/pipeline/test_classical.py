"""The last resort: where no picture of the model can be used, a sketch under an estimated light, for review."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.pipeline.test_attempts import put_large
from tests.support import scene_array


def test_it_stands_in_where_it_is_allowed_and_never_after_a_refusal(own_cloud):
    with own_cloud.server(CLASSICAL_FALLBACK="true") as server:
        own_cloud.gemini.control(faults=[{"kind": "black_image", "times": 2}, {"kind": "PROHIBITED_CONTENT"}])
        own_cloud.deliver_until_settled(server, put_large(own_cloud, seed=1, attempts=2))
        sidecar = own_cloud.sidecar()
        assert own_cloud.calls() == 2
        assert (sidecar["status"], sidecar["method"]) == ("review", "classical")
        assert [attempt["verdict"] for attempt in sidecar["attempts"]] == ["unusable", "unusable"]
        assert "without the model" in sidecar["checks"]["product_present"]["reason"]
        box = sidecar["identity"]["box"]
        picture = np.asarray(Image.open(io.BytesIO(own_cloud.get("pair.png"))).convert("RGB"))
        scene = scene_array(1344, 756)
        x, y, width, height = box
        changed = np.abs(picture.astype(int) - scene).max(axis=2) > 12
        assert changed[y : y + height, x : x + width].mean() > 0.5
        # Darker right below the base, and as it was far from it.
        below = np.s_[y + height + 1 : y + height + 6, x + width // 3 : x + 2 * width // 3]
        assert picture[below].mean() < 0.75 * scene[below].mean()
        assert not changed[: y - 20].any()
        own_cloud.deliver_until_settled(server, put_large(own_cloud, seed=2, attempts=2))
        refused = own_cloud.sidecar()
    assert (refused["status"], refused["error"]["code"], refused["method"]) == ("failed", "model_refused", None)


def test_it_is_off_by_default(cloud, server):
    cloud.gemini.control(faults=[{"kind": "black_image", "times": None}])
    assert cloud.deliver(server, put_large(cloud, attempts=1)).status == 200
    assert cloud.sidecar()["error"]["code"] == "model_no_image"


@pytest.mark.parametrize("value", ["perhaps", "2"])
def test_a_flag_is_a_flag(value):
    from function.settings import InvalidSettingsError, Settings

    environment = {"OUTPUT_BUCKET": "out-bucket", "GEMINI_API_KEY": "k", "CLASSICAL_FALLBACK": value}
    with pytest.raises(InvalidSettingsError, match="CLASSICAL_FALLBACK"):
        Settings.from_environment(environment)
