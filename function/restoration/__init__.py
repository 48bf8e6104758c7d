"""Restores a generated image to the scene's full resolution.

`analyse.py` finds what changed, from the registration and the match of the product; `restore.py` makes the result from
that. Both take what `registration` promises (see there), and give nothing but the plain upscale without it.
"""
