"""Drawn things: text in open fonts, line art with flat fills, charts of strokes."""

import string
from functools import lru_cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from fields import Rng, palette

# DejaVu and STIX come with matplotlib under their own free licences, so every rerun has the same glyphs.
FONT_FOLDER = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
FONTS = sorted(path.name for path in FONT_FOLDER.glob("*.ttf") if path.name.startswith(("DejaVuSans", "DejaVuSerif", "STIXGeneral")))
LETTERS = "eeeeettttaaaooiinnsshhrrddllccuummwwffggyyppbbvvkjxqz"


@lru_cache(maxsize=256)
def _font(name: str, size: int):
    return ImageFont.truetype(str(FONT_FOLDER / name), size)


def words(rng: Rng, count: int) -> str:
    """Pseudo-words with about the letter frequencies of English, some capitals, numbers and punctuation."""
    def word() -> str:
        kind = rng.uniform()
        if kind < 0.12:
            return "".join(rng.choice(list(string.digits), rng.integers(1, 6)))
        letters = "".join(rng.choice(list(LETTERS), rng.integers(1, 10)))
        letters = letters.upper() if kind < 0.22 else letters.capitalize() if kind < 0.4 else letters
        return letters + (str(rng.choice(list(".,;:!?-"))) if kind > 0.88 else "")

    return " ".join(word() for _ in range(count))


def write_text(rng: Rng, image: Image.Image) -> None:
    """A block of lines in one font, size and colour, in place."""
    size = int(np.exp(rng.uniform(np.log(14), np.log(110))))
    font = _font(FONTS[rng.integers(len(FONTS))], size)
    ink = tuple(int(c) for c in (palette(rng, 1)[0] if rng.uniform() < 0.5 else [rng.choice([0, 20, 255, 240])] * 3))
    x, y = int(rng.uniform(-0.1, 0.5) * image.width), int(rng.uniform(-0.05, 0.8) * image.height)
    stroke = int(rng.integers(1, 4)) if rng.uniform() < 0.1 else 0
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(1, 14))):
        draw.text((x, y), words(rng, int(rng.integers(2, 12))), font=font, fill=ink, stroke_width=stroke)
        y += int(size * rng.uniform(1.1, 1.5))


def _curve(rng: Rng, size: int):
    ends = rng.uniform(-0.1 * size, 1.1 * size, 2) + rng.normal(0, rng.uniform(0.05, 0.4) * size, (4, 2))
    t = np.linspace(0, 1, 48)[:, None]
    bezier = (1 - t) ** 3 * ends[0] + 3 * (1 - t) ** 2 * t * ends[1] + 3 * (1 - t) * t**2 * ends[2] + t**3 * ends[3]
    return bezier.reshape(-1).tolist()


def draw_lines(rng: Rng, image: Image.Image) -> None:
    """Strokes, outlined shapes, hatching and grids in a few inks, in place."""
    draw, size = ImageDraw.Draw(image), image.width
    inks = [tuple(int(c) for c in row) for row in palette(rng, 4)] + [(0, 0, 0)] * 3
    width = float(np.exp(rng.uniform(np.log(1.5), np.log(10))))
    for _ in range(int(rng.integers(10, 120))):
        ink, kind = inks[rng.integers(len(inks))], rng.uniform()
        thick = max(1, int(round(width * np.exp(rng.normal(0, 0.3)))))
        x, y = rng.uniform(0, size, 2)
        r = float(np.exp(rng.uniform(np.log(5), np.log(0.3 * size))))
        if kind < 0.45:
            draw.line(_curve(rng, size), fill=ink, width=thick, joint="curve")
        elif kind < 0.6:
            fill = inks[rng.integers(len(inks))] if rng.uniform() < 0.5 else None
            draw.ellipse((x - r, y - r * rng.uniform(0.3, 1), x + r, y + r), outline=ink, width=thick, fill=fill)
        elif kind < 0.75:
            points = (np.array([x, y]) + rng.normal(0, r, (int(rng.integers(3, 7)), 2))).reshape(-1).tolist()
            draw.polygon(points, outline=ink, width=thick, fill=inks[rng.integers(len(inks))] if rng.uniform() < 0.6 else None)
        elif kind < 0.9:
            angle = rng.uniform(0, 2 * np.pi)
            draw.line((x, y, x + 3 * r * np.cos(angle), y + 3 * r * np.sin(angle)), fill=ink, width=thick)
        else:
            angle, gap = rng.uniform(0, np.pi), max(2.5 * thick, rng.uniform(4, 30))
            across = np.array([-np.sin(angle), np.cos(angle)])
            for k in range(int(rng.integers(4, 20))):
                start = np.array([x, y]) + k * gap * across
                end = start + r * np.array([np.cos(angle), np.sin(angle)])
                draw.line((*start, *end), fill=ink, width=thick)


def ink_outlines(rng: Rng, ids, picture):
    """`picture` [size, size, 3] with the borders of the map `ids` inked, and a few strokes of the same pen: comics, animation."""
    edges = np.zeros(ids.shape, bool)
    edges[1:] |= ids[1:] != ids[:-1]
    edges[:, 1:] |= ids[:, 1:] != ids[:, :-1]
    pen = int(rng.integers(1, 5))
    mask = Image.fromarray(edges.astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(2 * pen + 1))
    draw = ImageDraw.Draw(mask)
    for _ in range(int(rng.integers(0, 60))):
        draw.line((_curve(rng, ids.shape[0])), fill=255, width=int(rng.integers(1, 2 * pen + 2)), joint="curve")
    ink = np.float32([0, 0, 0]) if rng.uniform() < 0.7 else palette(rng, 1)[0] * np.float32(0.4)
    return np.where((np.asarray(mask) > 0)[:, :, None], ink, picture)
