"""Print for products and props, drawn with Pillow; each function writes a picture and returns its path."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FOLDER = Path(tempfile.gettempdir()) / "render_labels"
FONTS = "/usr/share/fonts/truetype/liberation/Liberation{}.ttf"
Ink = tuple[int, int, int]


def font(name: str, size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONTS.format(name), round(size))


def label(
    name: str,
    size: tuple[int, int],
    paper: Ink,
    ink: Ink,
    accent: Ink,
    lines: list[tuple[float, float, str, str]],
    *,
    panel: float = 1.0,
    band: bool = True,
) -> Path:
    """Centred `lines` of (height from the top, letter height, font, text), shares of the picture's height.

    `panel` is the share of the width that carries print, the middle of it: the front of a round body.
    """
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.png"
    width, height = size
    picture = Image.new("RGB", size, paper)
    draw = ImageDraw.Draw(picture)
    if band:
        for top in (0.0, 0.95):
            draw.rectangle((0, top * height, width, (top + 0.05) * height), fill=accent)
        left, right = (width * (0.5 + sign * panel * 0.47) for sign in (-1, 1))
        draw.rectangle((left, 0.08 * height, right, 0.92 * height), outline=accent, width=max(2, height // 200))
    for top, letters, face, text in lines:
        set_in = font(face, letters * height)
        wide = draw.textlength(text, font=set_in)
        room = 0.86 * panel * width
        if wide > room:
            set_in = font(face, letters * height * room / wide)
        draw.text((width / 2, top * height), text, font=set_in, fill=ink, anchor="mm")
    picture.save(path)
    return path


def emblem(path: Path, centre: tuple[float, float], radius: float, tones: tuple[Ink, Ink], petals: int = 8) -> Path:
    """A flower added to the picture at `path`; centre and radius are shares of its size."""
    picture = Image.open(path).convert("RGB")
    draw = ImageDraw.Draw(picture)
    x, y, r = centre[0] * picture.width, centre[1] * picture.height, radius * picture.height
    draw.ellipse((x - r, y - r, x + r, y + r), fill=tones[0])
    for petal in range(petals):
        first, last = petal * 360 / petals, (petal + 0.45) * 360 / petals
        draw.pieslice((x - 0.8 * r, y - 0.8 * r, x + 0.8 * r, y + 0.8 * r), first, last, fill=tones[1])
    # Not the same when mirrored.
    draw.ellipse((x + 0.3 * r, y - 0.75 * r, x + 0.7 * r, y - 0.35 * r), fill=tones[0])
    picture.save(path)
    return path


def goods(seed: int) -> Path:
    """The front of some other article."""
    rng = random.Random(seed)
    tones = [(206, 86, 66), (54, 92, 120), (226, 182, 92), (92, 124, 92), (232, 224, 208), (120, 82, 110), (60, 60, 64)]
    paper, accent = rng.sample(tones, 2)
    ink = (248, 244, 236) if sum(paper) < 420 else (36, 38, 44)
    name = rng.choice(["MIRA", "TERRA", "LUMIO", "SAVO", "PETAL", "KORN", "ATLAS", "NORR", "DUNE", "FJORD"])
    kind = rng.choice(["granola", "dark roast", "sea salt", "cocoa", "honey", "candle", "herbal tea", "muesli"])
    lines = [
        (0.22, 0.13, "Sans-Bold", name),
        (0.36, 0.06, "Serif-Italic", kind),
        (0.88, 0.05, "Sans-Regular", "250 g"),
    ]
    return emblem(label(f"goods{seed}", (500, 700), paper, ink, accent, lines), (0.5, 0.62), 0.16, (accent, ink))


def poster(seed: int) -> Path:
    """A picture for a wall."""
    rng = random.Random(seed)
    tones = [(196, 92, 62), (40, 70, 84), (226, 178, 96), (120, 140, 110), (70, 50, 70)]
    rng.shuffle(tones)
    path = label(f"poster{seed}", (900, 1200), (236, 226, 208), (40, 40, 44), tones[0], [
        (0.82, 0.08, "Sans-Bold", rng.choice(["OBJETS", "ATELIER", "FORMA", "STUDIO"])),
        (0.89, 0.03, "Serif-Italic", "everyday things, made well"),
    ], band=False)  # fmt: skip
    picture = Image.open(path)
    draw = ImageDraw.Draw(picture)
    for tone in tones[1:]:
        x, y, r = rng.uniform(150, 750), rng.uniform(150, 750), rng.uniform(80, 260)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=tone)
    draw.rectangle((80, 840, 820, 846), fill=(40, 40, 44))
    picture.save(path)
    return path


def cloth(seed: int) -> Path:
    """One square of a woven pattern, which repeats: stripes across stripes, and figures in the fields."""
    rng = random.Random(seed)
    grounds = [((232, 222, 204), (150, 54, 50), (54, 76, 104)), ((60, 84, 92), (226, 214, 190), (206, 142, 70))]
    ground, one, other = grounds[seed % len(grounds)]
    side = 512
    picture = Image.new("RGB", (side, side), ground)
    draw = ImageDraw.Draw(picture, "RGBA")
    for start, width, tone in ((40, 70, one), (150, 16, other), (300, 70, other), (410, 16, one)):
        draw.rectangle((start, 0, start + width, side), fill=(*tone, 150))
        draw.rectangle((0, start, side, start + width), fill=(*tone, 150))
    for x, y in ((225, 225), (480, 225), (225, 480), (480, 480)):
        for _ in range(5):
            dx, dy = rng.uniform(-22, 22), rng.uniform(-22, 22)
            draw.ellipse((x + dx - 8, y + dy - 8, x + dx + 8, y + dy + 8), fill=(*one, 230))
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"cloth{seed}.png"
    picture.save(path)
    return path
