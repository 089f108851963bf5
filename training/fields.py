"""Random fields and colours with the statistics of natural images: 1/f spectra, clustered palettes.

Power spectra of photographs fall off about as 1/f^2 (amplitude 1/f): Field 1987, Ruderman 1997.
"""

import numpy as np
from PIL import Image

Rng = np.random.Generator


def spectral_field(rng: Rng, size: int, slope: float, stretch: float = 1.0, angle: float = 0.0, band=(0.0, 1.0)):
    """One size x size field, zero mean and unit variance, with amplitude spectrum 1/f^slope.

    `stretch` > 1 draws the field out along `angle` (radians); `band` keeps frequencies in that part of (0, Nyquist].
    """
    fy, fx = np.meshgrid(np.fft.fftfreq(size), np.fft.rfftfreq(size), indexing="ij")
    along, across = fx * np.cos(angle) + fy * np.sin(angle), fy * np.cos(angle) - fx * np.sin(angle)
    frequency = np.hypot(along * stretch, across)
    frequency[0, 0] = 1.0
    amplitude = frequency**-slope * (2 * frequency >= band[0]) * (2 * frequency <= band[1])
    amplitude[0, 0] = 0.0
    noise = rng.standard_normal((size, size // 2 + 1)) + 1j * rng.standard_normal((size, size // 2 + 1))
    field = np.fft.irfft2(noise * amplitude, (size, size)).astype(np.float32)
    return field / max(float(field.std()), 1e-6)


def smooth_field(rng: Rng, size: int, cells: int):
    """A slowly varying field (about `cells` bumps across), unit variance: illumination, depth, flow."""
    coarse = Image.fromarray(rng.standard_normal((cells + 3, cells + 3)).astype(np.float32))
    field = np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC))
    return field / max(float(field.std()), 1e-6)


def pattern_field(rng: Rng, size: int):
    """A man-made texture: stripes, checks, dots or bricks at a random pitch and angle; zero mean, about unit range."""
    angle, pitch = rng.uniform(0, np.pi), float(np.exp(rng.uniform(np.log(5), np.log(60))))
    y, x = np.meshgrid(np.arange(size, dtype=np.float32), np.arange(size, dtype=np.float32), indexing="ij")
    warp = smooth_field(rng, size, 4) * rng.uniform(0, pitch)
    u = (x * np.cos(angle) + y * np.sin(angle) + warp) * (2 * np.pi / pitch)
    v = (y * np.cos(angle) - x * np.sin(angle) + warp) * (2 * np.pi / (pitch * rng.uniform(0.5, 2)))
    hard = rng.uniform(1, 8)
    kind = rng.integers(4)
    if kind == 0:
        return np.tanh(hard * np.sin(u))
    if kind == 1:
        return np.tanh(hard * np.sin(u) * np.sin(v))
    if kind == 2:
        return np.tanh(hard * (np.sin(u) + np.sin(v) - 1))
    return np.tanh(hard * (np.sin(u + np.pi * (np.sin(v / 2) > 0)) - 0.8)) + np.tanh(hard * (np.sin(v) - 0.8))


def texture_bank(rng: Rng, size: int, count: int):
    """`count` texture fields [count, size, size], float16 to keep a large bank small; the first is flat."""
    bank = np.zeros((count, size, size), np.float16)
    for i in range(1, count):
        kind = rng.uniform()
        if kind < 0.45:
            bank[i] = spectral_field(rng, size, rng.uniform(0.6, 1.6))
        elif kind < 0.7:
            bank[i] = spectral_field(rng, size, rng.uniform(0.5, 1.3), rng.uniform(2, 12), rng.uniform(0, np.pi))
        elif kind < 0.8:
            cut = rng.uniform(-0.5, 1.5)
            field = spectral_field(rng, size, rng.uniform(1.0, 1.8))
            bank[i] = np.tanh(rng.uniform(2, 12) * (np.abs(field) - cut if rng.uniform() < 0.5 else field - cut))
        else:
            bank[i] = pattern_field(rng, size)
    return bank


def palette(rng: Rng, count: int):
    """`count` RGB colours in [0, 255]: a few hues per scene, mostly pale, luminance spread wide."""
    hues = rng.uniform(0, 2 * np.pi, rng.integers(1, 4))
    anchors = rng.integers(3, 10)
    hue = rng.choice(hues, anchors) + rng.normal(0, 0.35, anchors)
    chroma = 170 * rng.beta(1.2, 5.0, anchors) * rng.uniform(0.2, 1.2)
    contrast, middle = rng.uniform(0.35, 1.0), rng.uniform(70, 180)
    luma = middle + contrast * (255 * rng.beta(0.9, 1.1, anchors) - 120)
    pick = rng.integers(anchors, size=count)
    luma = luma[pick] + rng.normal(0, rng.uniform(4, 30), count)
    cb = (chroma * np.cos(hue))[pick] + rng.normal(0, 5, count)
    cr = (chroma * np.sin(hue))[pick] + rng.normal(0, 5, count)
    rgb = np.stack([luma + 1.402 * cr, luma - 0.344 * cb - 0.714 * cr, luma + 1.772 * cb], axis=1)
    return np.clip(rgb, 0, 255).astype(np.float32)
