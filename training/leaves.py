"""Dead leaves: shapes with power-law sizes that cover each other (Lee, Mumford, Huang 2001; Achddou, Gousseau, Ladjal 2021)."""

import numpy as np
from PIL import Image, ImageDraw

from fields import Rng, palette, smooth_field


def power_law_radii(rng: Rng, count: int, smallest: float, largest: float, exponent: float):
    """Radii with density r^-exponent between the two ends (3 makes scenes scale-invariant)."""
    low, high = smallest ** (1 - exponent), largest ** (1 - exponent)
    return (low + rng.uniform(size=count) * (high - low)) ** (1 / (1 - exponent))


def outlines(rng: Rng, radii, size: int):
    """Closed outlines, one list of corner coordinates per radius: blobs, ellipses, boxes, triangles, stars, blades."""
    count = len(radii)
    centre = rng.uniform(-0.05 * size, 1.05 * size, (count, 1, 2))
    theta = np.linspace(0, 2 * np.pi, 28, endpoint=False)[None]
    kind = rng.choice(6, count, p=rng.dirichlet((2.0, 2.0, 1.0, 0.6, 0.4, 1.0)))[:, None]
    k = np.arange(2, 6)[:, None, None]
    wobble = rng.normal(0, 0.22, (4, count, 1)) / k * np.cos(k * theta + rng.uniform(0, 7, (4, count, 1)))
    blob = 1 + wobble.sum(0)
    corners = np.where(kind == 2, 4, 3)
    turn = np.mod(theta, 2 * np.pi / corners) - np.pi / corners
    straight = np.cos(np.pi / corners) / np.cos(turn)
    star = 1 + 0.5 * np.cos(rng.integers(4, 9, (count, 1)) * theta)
    radius = np.select([kind == 0, kind == 1, kind <= 3, kind == 4], [blob, 1 + 0 * theta, straight, star], 1.0)
    x, y = radius * np.cos(theta), radius * np.sin(theta)
    aspect = np.exp(rng.normal(0, np.where(kind == 5, 1.2, 0.35), (count, 1)))
    bend = rng.normal(0, np.where(kind == 5, 0.5, 0.1), (count, 1))
    x, y = x * np.sqrt(aspect), y / np.sqrt(aspect)
    y = y + bend * x * np.abs(x)
    angle = rng.uniform(0, 2 * np.pi, (count, 1)) if rng.uniform() < 0.8 else rng.normal(0, 0.1, (count, 1))
    points = np.stack([x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)], axis=2)
    return (centre + points * radii[:, None, None]).reshape(count, -1).tolist()


def leaf_ids(rng: Rng, size: int, count: int, smallest: float | None = None):
    """An int32 map of which leaf is on top at each pixel; 0 where none is."""
    smallest = smallest or float(np.exp(rng.uniform(np.log(2), np.log(12))))
    largest = rng.uniform(0.1, 0.4) * size
    radii = power_law_radii(rng, count, smallest, largest, rng.uniform(2.3, 3.2))
    canvas = Image.new("I", (size, size), 0)
    draw = ImageDraw.Draw(canvas)
    for i, outline in enumerate(outlines(rng, radii, size)):
        draw.polygon(outline, fill=i + 1)
    return np.asarray(canvas)


def foliage_ids(rng: Rng, size: int, count: int):
    """Small leaves of about one size, crowded in clusters with gaps between them; the same kind of map as `leaf_ids`."""
    density = smooth_field(rng, size, int(rng.integers(3, 12))) + 0.6 * smooth_field(rng, size, int(rng.integers(12, 40)))
    threshold = rng.uniform(-0.8, 0.9)
    radii = np.exp(rng.normal(np.log(rng.uniform(3, 16)), 0.35, count))
    canvas = Image.new("I", (size, size), 0)
    draw = ImageDraw.Draw(canvas)
    for i, outline in enumerate(outlines(rng, radii, size)):
        x, y = (int(min(max(v, 0), size - 1)) for v in outline[:2])
        if density[y, x] > threshold:
            draw.polygon(outline, fill=i + 1)
    return np.asarray(canvas)


def branch_ids(rng: Rng, size: int):
    """Twigs that fork and thin out, from a few stems; the same kind of map as `leaf_ids`."""
    canvas = Image.new("I", (size, size), 0)
    draw = ImageDraw.Draw(canvas)
    spread, thinning, jitter = rng.uniform(0.3, 0.8), rng.uniform(0.65, 0.85), rng.uniform(0.05, 0.25)
    tips = [
        (*rng.uniform(-0.1 * size, 1.1 * size, 2), rng.uniform(0, 2 * np.pi), rng.uniform(8, 30), rng.uniform(0.06, 0.2) * size)
        for _ in range(int(rng.integers(2, 9)))
    ]
    leaf = 0
    while tips and leaf < 6000:
        x, y, angle, width, length = tips.pop(0)
        leaf += 1
        path = [(x, y)]
        for _ in range(4):
            angle += rng.normal(0, jitter)
            x, y = x + length / 4 * np.cos(angle), y + length / 4 * np.sin(angle)
            path.append((x, y))
        draw.line(path, fill=leaf, width=max(1, round(width)))
        if width > 1.2:
            for side in (-1, 1, 1 if rng.uniform() < 0.5 else -1)[: 2 + (rng.uniform() < 0.4)]:
                tips.append((x, y, angle + side * spread * rng.uniform(0.3, 1.6), width * thinning * rng.uniform(0.7, 1.0), length * rng.uniform(0.6, 0.95)))
    return np.asarray(canvas)


def strand_ids(rng: Rng, size: int, count: int):
    """Hair, fur, grass, twigs: curves that follow a common flow; the same kind of map as `leaf_ids`."""
    flow = rng.uniform(0, 2 * np.pi) + rng.uniform(0.1, 1.5) * smooth_field(rng, size, int(rng.integers(2, 8)))
    scatter, step = rng.uniform(0, 0.5), rng.uniform(5, 12)
    point, own = rng.uniform(0, size, (count, 2)), rng.normal(0, scatter, count)
    trail = [point]
    for _ in range(int(rng.integers(8, 26))):
        at = np.clip(point.astype(int), 0, size - 1)
        angle = flow[at[:, 1], at[:, 0]] + own
        point = point + step * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        trail.append(point)
    paths = np.stack(trail, axis=1).reshape(count, -1).tolist()
    widths = np.exp(rng.normal(np.log(rng.uniform(1.2, 6)), 0.4, count)).round().clip(1, 24).astype(int).tolist()
    canvas = Image.new("I", (size, size), 0)
    draw = ImageDraw.Draw(canvas)
    for i, path in enumerate(paths):
        draw.line(path, fill=i + 1, width=widths[i])
    return np.asarray(canvas)


def paint(rng: Rng, ids, below, bank):
    """Colours the map over `below` [size, size, 3]: flat colour, a shade across each leaf, and a texture of its own."""
    size, count = ids.shape[0], int(ids.max()) + 1
    colour = palette(rng, count)
    slope = rng.normal(0, rng.uniform(0.0, 0.12), (2, count)).astype(np.float32)
    strength = (rng.gamma(0.7, rng.uniform(2, 22), count) * (rng.uniform(size=count) < 0.8)).astype(np.float32)
    ramp = np.linspace(-size / 2, size / 2, size, dtype=np.float32)
    light = np.clip(slope[0][ids] * ramp[None] + slope[1][ids] * ramp[:, None], -50, 50)
    chosen = rng.integers(len(bank), size=3)
    which = rng.integers(3, size=count)[ids]
    shift = int(rng.integers(size))
    grain = np.zeros_like(light)
    for slot, index in enumerate(chosen):
        grain = np.where(which == slot, np.roll(bank[index], shift, axis=slot % 2).astype(np.float32), grain)
    tint = 1 + rng.normal(0, 0.25, 3).astype(np.float32)
    painted = colour[ids] + (light + strength[ids] * grain)[:, :, None] * tint
    return np.where((ids > 0)[:, :, None], painted, below)
