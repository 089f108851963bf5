"""Procedural pictures: the only thing the network ever sees. Run it to write a pool of training tiles.

    python training/scenes.py --pool training/runs/pool --scenes 800 --seed 1
"""

import argparse
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from drawings import draw_lines, ink_outlines, write_text
from fields import Rng, palette, smooth_field, spectral_field, texture_bank
from leaves import branch_ids, foliage_ids, leaf_ids, paint, strand_ids

CANVAS = 1152  # scenes are painted at this size and reduced, which antialiases them
TILE = 160  # halved 80, a multiple of the JPEG blocks of 16
SCENES_PER_SHARD = 20
KINDS = {"leaves": 0.36, "layers": 0.14, "strands": 0.14, "foliage": 0.13, "clouds": 0.06, "cartoon": 0.06, "drawing": 0.06, "text": 0.05}
REDUCED_BY = {Image.Resampling.LANCZOS: 0.25, Image.Resampling.BICUBIC: 0.25, Image.Resampling.BOX: 0.3, Image.Resampling.HAMMING: 0.2}
DRAWN = ("cartoon", "drawing", "text")


def _image(pixels) -> Image.Image:
    return Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8))


def _backdrop(rng: Rng, size: int):
    """A smooth gradient or a 1/f cloud between colours of one palette."""
    colours = palette(rng, 3)
    field = smooth_field(rng, size, int(rng.integers(1, 4)))
    if rng.uniform() < 0.4:
        field = field + rng.uniform(0.05, 0.5) * spectral_field(rng, size, rng.uniform(1.0, 1.8))
    weight = 1 / (1 + np.exp(-2 * field[:, :, None]))
    return colours[0] * weight + colours[1] * (1 - weight)


def _clouds(rng: Rng, size: int):
    """Coloured 1/f noise, partly pushed into patches with edges: stone, bark, water, sky."""
    slope = rng.uniform(1.0, 1.7)
    luma = spectral_field(rng, size, slope, rng.uniform(1, 4), rng.uniform(0, np.pi))
    if rng.uniform() < 0.5:
        luma = luma + rng.uniform(0.3, 1.5) * np.tanh(rng.uniform(3, 15) * (luma - rng.uniform(-1, 1)))
    chroma = [spectral_field(rng, size, slope + 0.3) * rng.uniform(0, 10) for _ in range(2)]
    grey = rng.uniform(80, 170) + rng.uniform(12, 50) * luma
    return np.stack([grey + 1.4 * chroma[0], grey - 0.5 * chroma[0] - 0.3 * chroma[1], grey + 1.7 * chroma[1]], axis=2)


def _layers(rng: Rng, size: int, bank):
    """A scene out of focus with a sparse sharp one in front, as a lens sees depth."""
    back = paint(rng, leaf_ids(rng, size, int(rng.integers(300, 2500))), _backdrop(rng, size), bank)
    back = np.asarray(_image(back).filter(ImageFilter.GaussianBlur(float(np.exp(rng.uniform(0.3, 3)))))).astype(np.float32)
    sparse = leaf_ids if rng.uniform() < 0.6 else strand_ids
    return paint(rng, sparse(rng, size, int(np.exp(rng.uniform(3, 6.5)))), back, bank)


def _foliage(rng: Rng, below, bank):
    """Twigs and leaves in clusters before a clear or a leafy ground: trees, hedges, weeds."""
    ground = rng.uniform()
    if ground < 0.3:
        below = np.broadcast_to(np.float32([255, 255, 255]) if rng.uniform() < 0.5 else rng.uniform(150, 250, 3).astype(np.float32), below.shape)
    elif ground < 0.5:
        below = paint(rng, leaf_ids(rng, CANVAS, int(rng.integers(300, 3000))), below, bank)
    for _ in range(int(rng.integers(1, 4))):
        below = paint(rng, branch_ids(rng, CANVAS), below, bank)
        if rng.uniform() < 0.7:
            below = paint(rng, foliage_ids(rng, CANVAS, int(rng.integers(1500, 9000))), below, bank)
    return below


def _cartoon(rng: Rng, below, bank):
    """Flat fills with inked outlines, as comics and animation are drawn."""
    ids = leaf_ids(rng, CANVAS, int(np.exp(rng.uniform(3, 6))), smallest=float(rng.uniform(12, 60)))
    flat = rng.uniform() < 0.7
    filled = paint(rng, ids, below, bank[:1] if flat else bank)
    return ink_outlines(rng, ids, filled)


def _canvas(rng: Rng, kind: str, bank) -> Image.Image:
    base = _backdrop(rng, CANVAS)
    if kind == "leaves":
        base = paint(rng, leaf_ids(rng, CANVAS, int(rng.integers(2000, 12000))), base, bank)
        if rng.uniform() < 0.2:
            base = paint(rng, strand_ids(rng, CANVAS, int(rng.integers(50, 800))), base, bank)
    elif kind == "layers":
        base = _layers(rng, CANVAS, bank)
    elif kind == "strands":
        base = paint(rng, strand_ids(rng, CANVAS, int(rng.integers(1500, 9000))), base, bank)
    elif kind == "foliage":
        base = _foliage(rng, base, bank)
    elif kind == "clouds":
        base = _clouds(rng, CANVAS)
    elif kind == "cartoon":
        base = _cartoon(rng, base, bank)
    elif rng.uniform() < 0.5:
        base = np.broadcast_to(palette(rng, 1)[0] if rng.uniform() < 0.5 else np.float32([250, 250, 250]), base.shape)
    if kind not in DRAWN and rng.uniform() < 0.7:
        base = base * np.exp(rng.uniform(0, 0.3) * smooth_field(rng, CANVAS, int(rng.integers(1, 4))))[:, :, None]
    image = _image(base)
    if kind not in DRAWN and rng.uniform() < 0.14:
        image = cut_out(rng, image)
    if kind == "drawing" or rng.uniform() < 0.03:
        draw_lines(rng, image)
    for _ in range(int(rng.integers(3, 12)) if kind == "text" else int(rng.uniform() < 0.05)):
        write_text(rng, image)
    return image


def cut_out(rng: Rng, image: Image.Image) -> Image.Image:
    """Parts of the picture on a plain ground, mostly white: pictures of goods, stickers, flattened transparency."""
    ids = leaf_ids(rng, image.width, int(rng.integers(2, 12)), smallest=0.08 * image.width)
    ground = Image.new("RGB", image.size, "white" if rng.uniform() < 0.6 else tuple(int(c) for c in palette(rng, 1)[0]))
    return Image.composite(image, ground, Image.fromarray((ids > 0).astype(np.uint8) * 255))


def _develop(rng: Rng, image: Image.Image, kind: str) -> Image.Image:
    """Reduces the canvas as a camera or a renderer would: lens blur and depth of field, antialiasing, then the camera's finish."""
    if rng.uniform() < 0.35:
        image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.5, 3.0))))
    if kind not in DRAWN and rng.uniform() < 0.3:
        mask = _image(128 + rng.uniform(60, 250) * smooth_field(rng, CANVAS, int(rng.integers(1, 5)))).convert("L")
        image = Image.composite(image, image.filter(ImageFilter.GaussianBlur(float(rng.uniform(1, 8)))), mask)
    side = int(CANVAS / np.exp(rng.uniform(np.log(1.9), np.log(3.6))))
    image = image.resize((side, side), list(REDUCED_BY)[rng.choice(len(REDUCED_BY), p=list(REDUCED_BY.values()))])
    if kind not in DRAWN:
        image = _camera_finish(rng, image)
    return image.convert("L").convert("RGB") if rng.uniform() < 0.12 else image


def _camera_finish(rng: Rng, image: Image.Image) -> Image.Image:
    """Sharpening and noise or grain, each in some of the pictures: photographs carry these before anybody reduces them."""
    if rng.uniform() < 0.3:
        image = image.filter(ImageFilter.UnsharpMask(float(rng.uniform(0.4, 1.8)), int(np.exp(rng.uniform(2.7, 4.8))), 0))
    if rng.uniform() < 0.3:
        pixels = np.asarray(image).astype(np.float32)
        grain = rng.normal(0, np.exp(rng.uniform(-0.7, 1.8)), (*pixels.shape[:2], 3 if rng.uniform() < 0.6 else 1))
        image = _image(pixels + grain)
    return image


def scene(rng: Rng, bank) -> Image.Image:
    """One finished sharp picture, 320 to 606 pixels square."""
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    return _develop(rng, _canvas(rng, kind, bank), kind)


def _lost_by_halving(sharp: Image.Image) -> float:
    """Mean absolute difference, in levels, between a tile and itself reduced by 2 and enlarged back."""
    grey = sharp.convert("L")
    back = grey.resize((TILE // 2, TILE // 2), Image.Resampling.BICUBIC).resize(grey.size, Image.Resampling.BICUBIC)
    return float(np.abs(np.asarray(grey, np.float32) - np.asarray(back, np.float32)).mean())


def tiles(rng: Rng, image: Image.Image):
    """Tiles of 160 x 160 from the middle of the picture, as uint8 arrays.

    Most tiles with nothing to learn in them (blank or out of focus) are left out.
    """
    across = image.width // TILE
    margin = (image.width - across * TILE) // 2
    for row in range(across):
        for column in range(across):
            left, top = margin + column * TILE, margin + row * TILE
            sharp = image.crop((left, top, left + TILE, top + TILE))
            if _lost_by_halving(sharp) < 1.2 and rng.uniform() < 0.8:
                continue
            yield np.asarray(sharp)


def write_shard(path: Path, seed, scenes: int, bank) -> int:
    """Writes one .npz of `sharp` tiles made from `seed` alone; returns how many."""
    sharp = []
    for index in range(scenes):
        rng = np.random.default_rng([*seed, index])
        sharp.extend(tiles(rng, scene(rng, bank)))
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as file:
        np.savez(file, sharp=np.stack(sharp))
    temporary.rename(path)
    return len(sharp)


def held_out_tiles(seed: int, scenes: int, count: int, textures: int = 12):
    """`count` sharp tiles spread over `scenes` scenes of a seed that no pool uses."""
    bank = texture_bank(np.random.default_rng([seed, 0]), CANVAS, textures)
    found = []
    for index in range(scenes):
        rng = np.random.default_rng([seed, 2, index])
        found.extend(tiles(rng, scene(rng, bank)))
    return [found[i] for i in np.linspace(0, len(found) - 1, min(count, len(found))).astype(int)]


def make_pool(folder: Path, scenes: int, seed: int, textures: int = 40) -> None:
    """Writes the shards that are not there yet, so a broken-off run goes on where it stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    bank = texture_bank(np.random.default_rng([seed, 0]), CANVAS, textures)
    for shard in range(-(-scenes // SCENES_PER_SHARD)):
        path = folder / f"shard-{shard:04d}.npz"
        if not path.exists():
            start = time.monotonic()
            count = write_shard(path, (seed, 1, shard), min(SCENES_PER_SHARD, scenes), bank)
            print(f"{path.name}: {count} tiles in {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=800)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    make_pool(options.pool, options.scenes, options.seed)
