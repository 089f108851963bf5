"""PNG files of 8 or 16 bits a sample as arrays. Pillow reads and writes no colours of 16 bits."""

import struct
import zlib

import numpy as np

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
_COLOR_TYPES = {channels: color_type for color_type, channels in _CHANNELS.items()}


def encode(pixels):
    """The file of an array [height, width, channels] of uint8 or uint16."""
    height, width, channels = pixels.shape
    depth = pixels.dtype.itemsize * 8
    rows = pixels.astype(pixels.dtype.newbyteorder(">")).reshape(height, -1).view(np.uint8)
    above = np.vstack([np.zeros_like(rows[:1]), rows[:-1]])
    filtered = np.empty((height, rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = 2  # "Up": each row as what it adds to the row above
    filtered[:, 1:] = rows - above
    header = struct.pack(">IIBBBBB", width, height, depth, _COLOR_TYPES[channels], 0, 0, 0)
    data = zlib.compress(filtered.tobytes(), 1)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def decode(file):
    """The pixels of a file that is not interlaced, as [height, width, channels] of uint8 or uint16."""
    if not file.startswith(_SIGNATURE):
        raise ValueError("expected a PNG file, got something else")
    data = []
    for name, body in _chunks(file):
        if name == b"IHDR":
            width, height, depth, color_type, _, _, interlace = struct.unpack(">IIBBBBB", body)
            if depth not in (8, 16) or color_type not in _CHANNELS or interlace != 0:
                raise ValueError("expected a PNG of 8 or 16 bits, without palette and interlacing")
        elif name == b"IDAT":
            data.append(body)
    channels = _CHANNELS[color_type]
    pixel_bytes = channels * depth // 8
    lines = np.frombuffer(zlib.decompress(b"".join(data)), np.uint8).reshape(height, 1 + width * pixel_bytes)
    raw = lines[:, 1:].reshape(height, width, pixel_bytes)
    rows = _unfiltered(lines[:, 0], raw).reshape(height, -1)
    samples = rows.view(">u2").astype(np.uint16) if depth == 16 else rows
    return samples.reshape(height, width, channels)


def _chunks(file):
    at = len(_SIGNATURE)
    while at + 8 <= len(file):
        length, name = struct.unpack(">I4s", file[at : at + 8])
        yield name, file[at + 8 : at + 8 + length]
        at += 12 + length


def _chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _unfiltered(filters, raw):
    """A pixel needs those on its left, above and left above: all pixels of a diagonal can be had at once."""
    height, width, pixel_bytes = raw.shape
    done = np.zeros((height + 1, width + 1, pixel_bytes), np.int16)
    for step in range(width + height - 1):
        y = np.arange(max(0, step - width + 1), min(height - 1, step) + 1)
        x = step - y
        left, above, corner = done[y + 1, x], done[y, x + 1], done[y, x]
        kind = filters[y][:, None]
        predicted = np.select(
            [kind == 1, kind == 2, kind == 3, kind == 4],
            [left, above, (left + above) >> 1, _paeth(left, above, corner)],
            0,
        )
        done[y + 1, x + 1] = (raw[y, x] + predicted) & 255
    return np.ascontiguousarray(done[1:, 1:].astype(np.uint8))


def _paeth(left, above, corner):
    by_left, by_above = np.abs(above - corner), np.abs(left - corner)
    by_corner = np.abs(left + above - 2 * corner)
    is_left = (by_left <= by_above) & (by_left <= by_corner)
    return np.where(is_left, left, np.where(by_above <= by_corner, above, corner))
