"""What the first pair of a process waits for before it begins."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FIRST = """
import gc, json, sys
from function.service import Service
from function.settings import Settings
service = Service(Settings.from_environment({"OUTPUT_BUCKET": "results", "GEMINI_API_KEY": "none"}))
def collections():
    return sum(one["collections"] for one in gc.get_stats())
before = collections()
service.services()
looked = collections() - before
loaded = sorted(sys.modules)
print(json.dumps({"looked": looked, "frozen": gc.get_freeze_count(), "enabled": gc.isenabled(), "loaded": loaded}))
"""
UNNEEDED = {
    "c2pa",
    "function.batch.records",
    "function.provenance.child",
    "function.provenance.kms",
    "function.provenance.signer",
    "jsonschema",
    "numpy.testing",
    "scipy",
}


def test_all_that_a_pair_needs_is_imported_at_once_and_no_garbage_is_looked_for_meanwhile():
    ran = subprocess.run([sys.executable, "-c", FIRST], cwd=ROOT, capture_output=True, text=True, check=True)
    seen = json.loads(ran.stdout.splitlines()[-1])
    assert seen["enabled"] and seen["looked"] < 20  # times, for what is made after the imports; with them it is 200
    assert seen["frozen"] > 100_000  # objects
    loaded = set(seen["loaded"])
    assert {"cv2", "function.delivery.pair", "function.provenance.credentials", "google.genai"} <= loaded
    assert not loaded & UNNEEDED
