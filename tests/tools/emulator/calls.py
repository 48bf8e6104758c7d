"""Calls of the Gemini emulator, through the real google-genai SDK or raw, and what its pictures show."""

from __future__ import annotations

import base64
import io
import json
import urllib.error
import urllib.request

import numpy as np
from google import genai
from google.auth.credentials import Credentials
from google.genai import types
from PIL import Image

from tests.support import PATIENCE_S

MODEL = "gemini-2.5-flash-image"
TEXT_MODEL = "gemini-2.5-flash"
PRODUCT_PINK = (220, 20, 140)


class Token(Credentials):
    """Credentials that need no network."""

    def refresh(self, request):
        self.token = "token"


def table_scene(size=(768, 439)) -> np.ndarray:
    """A grey-blue wall over a light table: uint8 RGB."""
    width, height = size
    scene = np.empty((height, width, 3), np.uint8)
    scene[: int(0.6 * height)] = (120, 140, 160)
    scene[int(0.6 * height) :] = (205, 198, 188)
    return scene


def pink_product() -> np.ndarray:
    """A pink box, 100x200, in a wide transparent margin: uint8 RGBA."""
    product = np.zeros((300, 300, 4), np.uint8)
    product[60:260, 110:210] = (*PRODUCT_PINK, 255)
    return product


def encoded(pixels: np.ndarray, kind="PNG") -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind)
    return out.getvalue()


SCENE, PRODUCT = encoded(table_scene()), encoded(pink_product())


def ask(
    emulator, *, ratio="16:9", seed=1, model=MODEL, images=(SCENE, PRODUCT), text="Put [2] into [1].", vertex=False
):
    """One call of the SDK; the client is kept while it runs."""
    options = types.HttpOptions(base_url=emulator.url, api_version="v1beta", timeout=int(1000 * PATIENCE_S))
    if vertex:
        options.api_version = "v1"
        client = genai.Client(
            vertexai=True, project="p", location="us-central1", credentials=Token(), http_options=options
        )
    else:
        client = genai.Client(api_key="key", http_options=options)
    parts = [types.Part.from_bytes(data=data, mime_type="image/png") for data in images]
    config = types.GenerateContentConfig(
        response_modalities=["TEXT", "IMAGE"], image_config=types.ImageConfig(aspect_ratio=ratio), seed=seed
    )
    return client.models.generate_content(model=model, contents=[text, *parts], config=config)


def picture(response) -> np.ndarray:
    """The answer's last image that is no thought."""
    parts = [part for part in response.candidates[0].content.parts if part.inline_data and not part.thought]
    return np.asarray(Image.open(io.BytesIO(parts[-1].inline_data.data)))


def pink(pixels: np.ndarray) -> np.ndarray:
    """Where the product is."""
    red, green, blue = (pixels[..., channel].astype(int) for channel in range(3))
    return (red - green > 60) & (blue - green > 25)


def post(emulator, payload, path=f"/v1beta/models/{MODEL}:generateContent", headers=None):
    """(code, JSON) of a raw request."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers = {"x-goog-api-key": "key", "Content-Type": "application/json"} if headers is None else headers
    request = urllib.request.Request(emulator.url + path, body, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def green(pixels: np.ndarray) -> np.ndarray:
    """Where the thing is that nobody asked for."""
    red, shade, blue = (pixels[..., channel].astype(int) for channel in range(3))
    return (shade - red > 40) & (shade - blue > 20)


def scene_part(**changes):
    return {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(SCENE).decode(), **changes}}


def request_of(*parts, **config):
    return {"contents": [{"role": "user", "parts": list(parts)}], "generationConfig": config}


HELLO = {"text": "hello"}
