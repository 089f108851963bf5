"""Draws docs/images/before-after.png: crops enlarged by NEAREST, LANCZOS and COMPACT_X2, side by side.

    pip install scikit-image==0.26.0
    python training/before_after.py --weights models/compact-x2.safetensors --output docs/images/before-after.png

The photographs are scikit-image's `astronaut` (NASA, public domain) and `chelsea` (CC0); the third picture is drawn here.
"""

import argparse
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from skimage import data

from drawings import FONT_FOLDER
from evaluate import enlarge, halved, load_model

CELL = 152  # pixels of the result in a cell, shown twice as large so that each can be seen
MAGNIFY = 2
LABEL = 26
METHODS = ("NEAREST", "LANCZOS", "COMPACT_X2")


def lettering() -> Image.Image:
    """Small print and thin lines, drawn at four times the size and reduced."""
    page = Image.new("RGB", (CELL * 4, CELL * 4), (246, 243, 236))
    draw = ImageDraw.Draw(page)
    font = {size: ImageFont.truetype(str(FONT_FOLDER / "DejaVuSerif.ttf"), size) for size in (44, 60, 84)}
    draw.text((30, 20), "Enlarged twice", font=font[60], fill=(25, 30, 60))
    draw.text((30, 105), "small print, 0123456789", font=font[44], fill=(30, 30, 30))
    draw.text((30, 170), "the quick brown fox", font=font[44], fill=(140, 30, 30))
    for k in range(9):
        draw.line((40, 260 + 34 * k, 300, 240 + 40 * k), fill=(30, 30, 30), width=3 + k)
    for k in range(6):
        draw.arc((330 + 22 * k, 260 + 22 * k, 590 - 22 * k, 520 - 22 * k), 0, 360, fill=(20, 70, 110), width=6)
    return page.resize((CELL, CELL), Image.Resampling.BOX)


def subjects() -> list[Image.Image]:
    """Sharp pictures, CELL pixels square."""
    face = Image.fromarray(data.astronaut()).crop((150, 40, 150 + CELL, 40 + CELL))
    cat = Image.fromarray(data.chelsea()).crop((90, 60, 90 + CELL, 60 + CELL))
    return [face, cat, lettering()]


def sheet(weights: Path) -> Image.Image:
    model, rows = load_model(weights), subjects()
    side = CELL * MAGNIFY
    result = Image.new("RGB", (side * len(METHODS), LABEL + side * len(rows)), "white")
    draw, font = ImageDraw.Draw(result), ImageFont.truetype(str(FONT_FOLDER / "DejaVuSans-Bold.ttf"), 16)
    for column, name in enumerate(METHODS):
        draw.text((column * side + side / 2, LABEL / 2), name, font=font, fill="black", anchor="mm")
    for row, subject in enumerate(rows):
        small = halved(subject, None)[1]
        enlarged = [small.resize(subject.size, getattr(Image.Resampling, name)) for name in METHODS[:2]]
        for column, picture in enumerate([*enlarged, enlarge(model, small)]):
            result.paste(picture.resize((side, side), Image.Resampling.NEAREST), (column * side, LABEL + row * side))
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    sheet(options.weights).save(options.output, optimize=True)
