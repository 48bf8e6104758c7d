"""Places a product photograph into a scene: manifest in, composite and sidecar out. This package is what is deployed,
all of it but tools/.

The way of a pair: delivery (an event becomes one settled outcome) → manifest (what is asked for) → pipeline (the steps,
in order) → budget (what may be spent) → generation (the model, paid for once) → registration (the answer onto the
scene) → matching (the photograph in the answer) → restoration (back to full resolution) → judging (one check a file)
→ provenance (content credentials, read of what comes in and signed for what goes out).
imaging, storage and telemetry serve them all. tests/test_layout.py holds which may import which.
"""

# Sidecars and `--version` say which code made a result. The first number rises when a stored rendition gets other
# pixels or another verdict; tests/restoration/test_renditions.py fails until a version does. The second rises when the
# sidecar or the manifest gains something, the third with any other release: that may change results that none of the
# stored ones stands for, and .github/CHANGELOG.md says which.
# Everything before 2.0.0 was called 1.0.0, whatever its pixels were.
PIPELINE_VERSION = "4.4.4"
