"""Two pictures that do not fit into the process together are decoded one after the other."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from function.imaging.png import write_png

SIDE = 6000
IN_A_NEW_PROCESS = """
import sys
from function.deadline import Deadline
from function.generation.model_chain import ModelChain
from function.manifest.parse import manifest_from
from function.pipeline.context import PairContext
from function.pipeline.decode import decode_sources
from function.pipeline.fetch import Source
from function.pipeline.memory_budget import MemoryBudget
from function.pipeline.record import RunRecord
from function.pipeline.resources import PairResources
from function.settings import Settings
from function.telemetry.native_tuning import prepare_libraries
prepare_libraries()
def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
content = sys.stdin.buffer.read()
settings = Settings.from_environment({"OUTPUT_BUCKET": "out-bucket", "GEMINI_API_KEY": "k"})
deadline = Deadline(200)
resources = PairResources(MemoryBudget(400 * 2**20, 2), deadline)
sources = {field: Source(field, 1, content) for field in ("scene", "product")}
manifest = manifest_from({"product": "p", "scene": "s"}, settings)
models = ModelChain(settings.model_chain, None)
pair = PairContext(manifest, sources, None, settings, deadline, RunRecord(), resources, models)
before = peak()
decode_sources(pair)
print(peak() - before, pair.decoded.scene.size)
"""


def test_two_huge_pictures_take_hardly_more_memory_than_one():
    content = write_png(np.full((SIDE, SIDE, 3), 90, np.uint8))
    done = subprocess.run([sys.executable, "-c", IN_A_NEW_PROCESS], input=content, capture_output=True, check=True)
    growth, size = done.stdout.decode().split(" ", 1)
    assert size.strip() == f"({SIDE}, {SIDE})"
    assert int(growth) * 1024 < 11 * SIDE * SIDE  # one takes 8 bytes a pixel, both at once 15
