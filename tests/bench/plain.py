"""The plain pipeline, as everybody writes it first: thumbnail, call, resize, save. The yardstick of performance.py.

    python -m tests.bench.plain --storage URL --model URL --input BUCKET --output BUCKET

For each line of standard input, `SCENE PRODUCT RESULT SEED`, one pair; answers with the seconds it took. It neither
registers nor restores, judges nor records anything, and a second delivery would pay the model again.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from google import genai
from PIL import Image

from function.tools.local.storage_emulator import gcs_client

MAX_PX = 768
MODEL = "gemini-2.5-flash-image"


def main() -> None:
    """Serve standard input."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("storage", "model", "input", "output"):
        parser.add_argument(f"--{name}", required=True)
    asked = parser.parse_args()
    buckets = [gcs_client(asked.storage).bucket(name) for name in (asked.input, asked.output)]
    client = genai.Client(api_key="plain", http_options={"base_url": asked.model})
    for line in sys.stdin:
        started = time.monotonic()
        place(client, *buckets, *line.split())
        print(time.monotonic() - started, flush=True)


def place(client, source, target, scene: str, product: str, result: str, seed: str) -> None:
    """One pair: two objects of the bucket `source` → a PNG in `target`, at the scene's size."""
    scene_size, parts = None, []
    for name in (scene, product):
        image = Image.open(io.BytesIO(source.blob(name).download_as_bytes()))
        scene_size = scene_size or image.size
        image.thumbnail((MAX_PX, MAX_PX))
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        parts.append(genai.types.Part.from_bytes(data=buffer.getvalue(), mime_type="image/png"))
    response = client.models.generate_content(
        model=MODEL,
        contents=[*parts, "Place the product of the second picture into the first one."],
        config=genai.types.GenerateContentConfig(
            response_modalities=["IMAGE"], seed=int(seed), image_config=genai.types.ImageConfig(aspect_ratio="16:9")
        ),
    )
    answer = next(part.inline_data.data for part in response.candidates[0].content.parts if part.inline_data)
    picture = cv2.imdecode(np.frombuffer(answer, np.uint8), cv2.IMREAD_COLOR)
    picture = cv2.resize(picture, scene_size, interpolation=cv2.INTER_CUBIC)
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        cv2.imwrite(file.name, picture)
        target.blob(result).upload_from_string(Path(file.name).read_bytes(), content_type="image/png")


if __name__ == "__main__":
    main()
