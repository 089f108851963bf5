"""How a sharp picture becomes the small one that the network gets: as diffusion UIs and the web reduce and store pictures."""

import io

import numpy as np
from PIL import Image, ImageFilter

from fields import Rng

FILTERS = {
    Image.Resampling.BICUBIC: 0.97,
    Image.Resampling.LANCZOS: 0.01,
    Image.Resampling.BOX: 0.015,
    Image.Resampling.BILINEAR: 0.005,
}
BLUR_SHARE = 0.01
JPEG_SHARE = 0.03
# Before anybody halves them, many pictures of the web were blurred by a lens or an enlargement, some printed and scanned, and most
# stored as poor JPEGs.
SOFT_SHARE = 0.15
PRINTED_SHARE = 0.06
STORED_SHARE = 0.6


def jpeg(image: Image.Image, quality: int, subsampling: int = 2) -> Image.Image:
    """The picture after a JPEG round trip (`subsampling` 2 is 4:2:0, 0 is 4:4:4)."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return Image.open(buffer).convert("RGB")


def printed(rng: Rng, sharp: Image.Image) -> Image.Image:
    """The picture under a halftone screen of its own pitch and angle, strongest in the middle tones, as a scanned print shows it."""
    y, x = np.mgrid[: sharp.height, : sharp.width]
    frequency, angle = 2 * np.pi / np.exp(rng.uniform(np.log(1.6), np.log(6))), rng.uniform(0, np.pi)
    u, v = frequency * (x * np.cos(angle) + y * np.sin(angle)), frequency * (y * np.cos(angle) - x * np.sin(angle))
    screen = np.cos(u + rng.uniform(0, 6)) + np.cos(v + rng.uniform(0, 6))
    pixels = np.asarray(sharp).astype(np.float32)
    middle = 4 * (pixels / 255) * (1 - pixels / 255)
    return Image.fromarray(np.clip(pixels + rng.uniform(5, 30) * middle * screen[:, :, None] + 0.5, 0, 255).astype(np.uint8))


def aged(rng: Rng, sharp: Image.Image) -> Image.Image:
    """What may have happened to a picture before: the truth that is sought, its blur and its blocks included."""
    if rng.uniform() < SOFT_SHARE:
        sharp = sharp.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.6, 1.6))))
    if rng.uniform() < PRINTED_SHARE:
        sharp = printed(rng, sharp)
    if rng.uniform() < STORED_SHARE:
        sharp = jpeg(sharp, int(rng.integers(20, 96)), int(rng.choice([0, 2])))
    return sharp


def degrade(rng: Rng, sharp: Image.Image) -> Image.Image:
    """Half the size: mostly plain bicubic; now and then another filter, a slight blur before, a slight JPEG after."""
    chosen = list(FILTERS)[rng.choice(len(FILTERS), p=list(FILTERS.values()))]
    if rng.uniform() < BLUR_SHARE:
        sharp = sharp.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 0.9))))
    small = sharp.resize((sharp.width // 2, sharp.height // 2), chosen)
    if rng.uniform() < JPEG_SHARE:
        small = jpeg(small, int(rng.integers(70, 98)), int(rng.choice([0, 2])))
    return small
