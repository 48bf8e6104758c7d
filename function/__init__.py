"""Places a product photograph into a scene: manifest in, composite and sidecar out."""

PIPELINE_VERSION = "1.0.0"
