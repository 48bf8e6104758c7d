"""Registers a generated image to its scene: where each pixel of the scene lies in the image.

What `register.register` promises, and `restoration` and `judging` rely on:

- It never raises on image content.
- `mapping` and `inside` always have the scene's shape at analysis size. Where nothing was registered they are those of
  the most expected framing, and `drift.registered` is False: then nothing may be restored from them.
- Scene and product keep their shape but for an affine fit and a smooth warp. The warp is continued across what the
  product covers; it does not say where the product is (`matching` does).
- `plain` scenes are found by their tones alone: the mapping is that of the expected framing, without a warp.
- Colours may differ: they are not compared here, but in a plain scene (`restoration/colour_transfer.py` fits them).
"""
