"""Small settled pairs with plain pictures, to review in tests."""

import base64
import hashlib
import io
from functools import cache

import numpy as np
from PIL import Image

from function.tools.review.pair import ReviewPair

SCENE_COLOUR, RESULT_COLOUR, PRODUCT_COLOUR = (40, 90, 200), (200, 60, 40), (60, 160, 80)
SIZE = (640, 360)  # (width, height) of scene and result
BOX = (256, 90, 128, 180)  # x, y, width, height of the change, in pixels of the result


@cache
def png(colour: tuple[int, ...], size: tuple[int, int] = SIZE) -> bytes:
    """A plain picture with a stripe at the left, so that no two colours give the same file."""
    pixels = np.full((size[1], size[0], len(colour)), colour, np.uint8)
    pixels[:, : size[0] // 32] = 255
    return encoded(Image.fromarray(pixels))


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def mask_uri() -> str:
    mask = np.zeros((SIZE[1] // 4, SIZE[0] // 4), np.uint8)
    x, y, width, height = (side // 4 for side in BOX)
    mask[y : y + height, x : x + width] = 255
    return "data:image/png;base64," + base64.b64encode(encoded(Image.fromarray(mask))).decode()


def record(uri: str, data: bytes) -> dict:
    width, height = Image.open(io.BytesIO(data)).size
    digest = hashlib.sha256(data).hexdigest()
    return {
        "uri": uri, "generation": 5, "mime_type": "image/png", "width": width, "height": height,
        "bytes": len(data), "sha256": digest,
    }  # fmt: skip


def make_pair(
    name: str = "a/one.json",
    status: str = "accepted",
    *,
    failed: tuple[str, ...] = (),
    usd: float | None = 0.04,
    created: str = "2026-11-20T10:00:00Z",
    result: bytes | None = None,
    **extra: object,
) -> ReviewPair:
    """A pair with a blue scene, a red result, and the sidecar that would stand beside them."""
    scene, product = png(SCENE_COLOUR), png((*PRODUCT_COLOUR, 200), (200, 300))
    result = result or png(RESULT_COLOUR)
    checks = {
        check: {
            "value": 0.3 if check in failed else 0.9, "threshold": 0.6, "passed": check not in failed,
            "unit": "ratio", "reason": "",
        }
        for check in ("product_present", "label_legible", "scene_kept")
    }  # fmt: skip
    stem = name.removesuffix(".json")
    sidecar = {
        "schema_version": "1.0",
        "status": status,
        "created": created,
        "manifest": {"bucket": "in", "name": name, "generation": 17},
        "inputs": {"scene": record("gs://in/scene.png", scene), "product": record("gs://in/p.png", product)},
        "result": record(f"gs://out/{stem}.png", result),
        "model": {"id": "gemini-2.5-flash-image", "requested_id": "gemini-2.5-flash-image"},
        "attempts": [
            {"number": 1, "seed": 1, "outcome": "generated", "finish_reason": "STOP", "latency_ms": 8000, "usd": usd}
        ],
        "cost": {"usd": usd, "prompt_tokens": 800, "output_tokens": 1290},
        "checks": checks,
        "change": {"share": 0.1, "box": list(BOX), "mask": mask_uri()},
        "timings_ms": {"download": 120, "generate": 8000, "restore": 2400, "total": 11000},
        "labels": {"sku": f"SKU-{stem[-3:]}"},
        "error": None,
    } | extra
    if status == "failed":
        sidecar |= {"result": None, "checks": {}, "change": None}
        sidecar["error"] = extra.get("error") or {
            "code": "model_refused", "message": "The model refused: IMAGE_SAFETY",
            "retryable": False, "stage": "generate",
        }  # fmt: skip
    return ReviewPair(name, sidecar, scene, product, None if status == "failed" else result)
