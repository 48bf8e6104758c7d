"""Places a product photograph into a scene: manifest in, composite and sidecar out."""

# Sidecars and `--version` say which code made a result. The first number rises when the same sources and the same
# answer of the model give other pixels or another verdict: tests/restoration/test_renditions.py fails until it does.
# The second rises when the sidecar or the manifest gains something, the third with any other release.
# Everything before 2.0.0 was called 1.0.0, whatever its pixels were.
PIPELINE_VERSION = "2.0.0"
