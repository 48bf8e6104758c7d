"""Renders products in sets, with the truth beside each: what the judge is measured on and learns from.

Blender as a Python package does it; only this bench needs it, so tests/requirements.txt leaves it out. It wants
Python 3.11 and an environment of its own:

    python3.11 -m venv blender
    blender/bin/pip install bpy==5.0.1 opencv-python-headless==4.10.0.84 "numpy<2" pillow \
        --extra-index-url https://download.blender.org/pypi/
    blender/bin/python -m tests.bench.render --out collection            # half a minute to two a case on two cores
    blender/bin/python -m tests.bench.render --out collection --only jar --sets outdoor

A case is a folder as tests/cases/cases.py loads it: scene.png, truth.png (the product really standing there),
truth_mask.png, change_mask.png, product.png (a frontal studio photograph, cut out) and case.json; for half of the
products also product_on_white.jpg, the same photograph as shops have it. The fonts are Liberation, of any Linux.

nodes.py        materials
shapes.py       meshes
labels.py       print
products_*.py   twelve products
sets.py         four sets
picture.py      camera, light, renderer
case.py         one case
settling.py     what differs only by noise is taken out of it
shrink.py       cases for tests/data
"""
