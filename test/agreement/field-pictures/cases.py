"""What a picture of the field is, what is asked of it, and what its result has to be.

A case is checked twice, with the result of the command line and with that of `POST /upscale`. `results` maps a format to the result's
path, or to None where there is none; `told` has warnings and the refusal of each, in one text.
"""
import io
import struct
import sys
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from PIL import Image

sys.path.append(str(Path(__file__).parents[2] / "fixtures" / "told-colors"))
import seen_colors  # noqa: E402

FORMATS = ("png", "jpeg", "webp", "avif", "tiff")


@dataclass
class Case:
    name: str
    file: bytes
    extension: str
    check: Callable
    options: dict = field(default_factory=dict)
    formats: tuple = ("png",)


class Cases(list):
    def add(self, name, file, check, formats=("png",), **options):
        """`name` ends as the file does; options are fields of the form, whose names are flags with dashes."""
        stem, extension = name.rsplit(".", 1)
        self.append(Case(stem, file, extension, check, {"upscaler": "NEAREST", "scale": "1", **options}, formats))


# ---- bytes


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_with(png, *chunks):
    """Whole chunks after IHDR."""
    return png[:33] + b"".join(chunk(*c) for c in chunks) + png[33:]


def png_ending(png, *chunks):
    """Whole chunks before IEND."""
    return png[:-12] + b"".join(chunk(*c) for c in chunks) + png[-12:]


def segment(marker, data):
    return bytes([255, marker]) + struct.pack(">H", len(data) + 2) + data


def jpeg_with(jpeg, *segments):
    """Segments after SOI."""
    return jpeg[:2] + b"".join(segment(*s) for s in segments) + jpeg[2:]


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def exif_tiff(entries, big=True):
    """A TIFF structure of one directory: (tag, type 3 or 4, value)."""
    order = ">" if big else "<"
    parts = [struct.pack(order + "HHI", tag, kind, 1) + (struct.pack(order + "H", value) + bytes(2) if kind == 3 else struct.pack(order + "I", value)) for tag, kind, value in entries]
    return (b"MM\0*" if big else b"II*\0") + struct.pack(order + "IH", 8, len(parts)) + b"".join(parts) + bytes(4)


def tiff_directory(tag, kind, count, value):
    return struct.pack("<HHII", tag, kind, count, value)


# ---- results


def opened(path):
    image = Image.open(path)
    image.load()
    return image


def chunks_of(path):
    return list(seen_colors.png_chunks(open(path, "rb").read()))
