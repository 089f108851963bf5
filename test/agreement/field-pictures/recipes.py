"""The pictures that people reported: each with the value that its result has to have."""
import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, TiffImagePlugin
from PIL.PngImagePlugin import PngInfo

from cases import FORMATS, Cases, chunk, chunks_of, exif_tiff, jpeg_with, opened, png_ending, png_with, saved, tiff_directory

from seen_colors import seen  # cases.py says where it is

warnings.simplefilter("ignore")  # Pillow's, of files that are broken on purpose

CASES = Cases()
add = CASES.add
RAMP = Image.linear_gradient("L").resize((96, 64)).convert("RGB")
RAMP_PNG = saved(RAMP, "PNG")
TOLD = Path(__file__).parents[2] / "fixtures" / "told-colors"
ADOBE_ICC = Image.open(TOLD / "icc-adobe.jpg").info["icc_profile"]
NEAR = 2


def flat(color, side=32):
    return Image.new("RGB", (side, side), color)


def size(path):
    return opened(path).size


def refused(*words):
    def check(results, told):
        assert all(path is None for path in results.values()), "there is a result"
        for word in words:
            assert word in told, told

    return check


def is_size(width, height, *words):
    def check(results, told):
        for kind, path in results.items():
            assert size(path) == (width, height), (kind, size(path))
        for word in words:
            assert word in told, told

    return check


def sees(color, *words):
    def check(results, told):
        for kind, path in results.items():
            off = np.abs(np.array(seen(Path(path)))[:, : len(color)] - color).max()
            assert off <= NEAR, (kind, off)
        for word in words:
            assert word in told, told

    return check


# ---- A1: camera raws


def raw(is_dng):
    thumbnail, full = Image.new("RGB", (24, 16), "red").tobytes(), RAMP.tobytes()
    e = tiff_directory
    count = 12 if is_dng else 11
    bits0 = 8 + 2 + count * 12 + 4
    pixels0 = bits0 + 6
    sub = pixels0 + len(thumbnail)
    bits1 = sub + 2 + 10 * 12 + 4
    pixels1 = bits1 + 6
    first = [e(254, 4, 1, 1), e(256, 4, 1, 24), e(257, 4, 1, 16), e(258, 3, 3, bits0), e(259, 3, 1, 1), e(262, 3, 1, 2), e(273, 4, 1, pixels0)]
    first += [e(277, 3, 1, 3), e(278, 4, 1, 16), e(279, 4, 1, len(thumbnail)), e(330, 4, 1, sub)] + ([e(0xC612, 1, 4, 0x401)] if is_dng else [])
    second = [e(254, 4, 1, 0), e(256, 4, 1, 96), e(257, 4, 1, 64), e(258, 3, 3, bits1), e(259, 3, 1, 1), e(262, 3, 1, 2), e(273, 4, 1, pixels1)]
    second += [e(277, 3, 1, 3), e(278, 4, 1, 64), e(279, 4, 1, len(full))]
    bits = struct.pack("<3H", 8, 8, 8)
    head = b"II*\0" + struct.pack("<IH", 8, len(first)) + b"".join(first) + bytes(4) + bits + thumbnail
    return head + struct.pack("<H", len(second)) + b"".join(second) + bytes(4) + bits + full


add("a1-dng.dng", raw(True), refused("a camera raw (DNG) image; convert it first"), scale="2")
add("a1-reduced.tif", raw(False), refused("thumbnail"), scale="2")

# ---- A2: colours that a file says by numbers


def sees_source(page, source):
    """The source as it is seen, and the page's value: at the edge of sRGB one level of P3 is almost three."""

    def check(results, _told):
        wanted = np.array(seen(io.BytesIO(source)))
        assert np.abs(wanted - page).max() <= 4, wanted
        for kind, path in results.items():
            off = np.abs(np.array(seen(Path(path))) - wanted).max()
            assert off <= NEAR + 1, (kind, off)

    return check


def avif(color, primaries, transfer):
    data = bytearray(saved(flat(color), "AVIF", quality=100, subsampling="4:4:4"))
    at = data.index(b"nclx")
    data[at + 4 : at + 8] = struct.pack(">HH", primaries, transfer)
    return bytes(data)


def keeps_pq(results, told):
    assert (b"cICP", bytes([9, 16, 0, 1])) in chunks_of(results["png"])
    file = open(results["avif"], "rb").read()
    at = file.index(b"colrnclx")
    assert struct.unpack(">HH", file[at + 8 : at + 12]) == (9, 16)
    assert all("icc_profile" in opened(results[kind]).info for kind in ("jpeg", "webp", "tiff"))
    assert "HDR (PQ)" in told, told


def keeps_codes(results, _told):
    names = [name for name, _ in chunks_of(results["png"])]
    assert names.index(b"cICP") < names.index(b"IDAT") and b"cLLI" in names and b"iCCP" in names, names


def keeps_color_chunks(results, _told):
    names = {name for name, _ in chunks_of(results["png"])}
    assert {b"gAMA", b"cHRM"} <= names or b"cICP" in names, names
    assert b"tEXt" not in names


for name, color, page in (("red", (230, 60, 50), (250, 31, 34)), ("green", (60, 200, 80), (0, 203, 58))):
    add(f"a2a-p3-{name}.avif", avif(color, 12, 13), sees_source(page, avif(color, 12, 13)), FORMATS)
add("a2a-pq.avif", avif((110, 115, 105), 9, 16), keeps_pq, FORMATS)
hdr = saved(RAMP, "PNG", icc_profile=ADOBE_ICC)
add("a2b-hdr.png", png_with(hdr, (b"cICP", bytes([9, 16, 0, 1])), (b"cLLI", struct.pack(">II", 10**7, 4 * 10**6))), keeps_codes)
LINEAR = ((b"gAMA", struct.pack(">I", 100000)), (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)))
P3_CODES = (b"cICP", bytes([12, 13, 0, 1]))
add("a2c-linear.png", png_with(saved(flat((55, 55, 55)), "PNG"), *LINEAR), sees((128, 128, 128)), FORMATS)
add("a2c-p3.png", png_with(saved(flat((230, 60, 50)), "PNG"), P3_CODES), sees((250, 31, 34)), FORMATS)
TEXT = (b"tEXt", b"Author\0somebody")
add("a2d-linear.png", png_with(RAMP_PNG, *LINEAR, TEXT), keeps_color_chunks, metadata="strip")
add("a2d-p3.png", png_with(RAMP_PNG, P3_CODES, TEXT), keeps_color_chunks, metadata="strip")

# ---- A3, A4: transparent edges


def disc(color, hidden, side, radius):
    y, x = np.mgrid[0:side, 0:side]
    alpha = np.clip((radius - np.hypot(x - (side - 1) / 2, y - (side - 1) / 2)) * 255, 0, 255).astype("u1")
    pixels = np.zeros((side, side, 4), "u1")
    pixels[..., :3] = hidden
    pixels[alpha > 0, :3] = color
    pixels[..., 3] = alpha
    return saved(Image.fromarray(pixels), "PNG")


def no_fringe(color):
    def check(results, _told):
        pixels = np.asarray(opened(results["png"]), float)
        seen_change = np.abs(pixels[..., :3] - color) * pixels[..., 3:] / 255
        assert seen_change.max() <= 4, seen_change.max()

    return check


def wholly_clear(results, _told):
    assert opened(results["png"]).getchannel("A").getextrema() == (0, 0)


def tight(results, _told):
    left, top, right, bottom = opened(results["png"]).getchannel("A").getbbox()
    assert left >= 35 and top >= 35 and right <= 93 and bottom <= 93, (left, top, right, bottom)


DISCS = {"red": ((255, 0, 0), (0, 255, 0)), "white": ((255, 255, 255), (0, 0, 0)), "skin": ((200, 120, 80), (0, 0, 0))}
for name, (color, hidden) in DISCS.items():
    add(f"a3-{name}.png", disc(color, hidden, 64, 22.5), no_fringe(color), upscaler="COMPACT_X2", scale="2")
add("a4-clear.png", saved(Image.new("RGBA", (64, 64)), "PNG"), wholly_clear, upscaler="COMPACT_X2", scale="2")
add("a4-disc.png", disc((255, 0, 0), (0, 0, 0), 64, 12.5), tight, upscaler="COMPACT_X2", scale="2")

# ---- A5: lossless stays lossless

drawing = Image.new("RGB", (120, 60), "white")
draw = ImageDraw.Draw(drawing)
draw.text((5, 5), "Red text", fill=(255, 0, 0))
draw.line((0, 0, 119, 59), fill=(255, 0, 255))


def equals_drawing(results, _told):
    result = opened(results["auto"])
    assert result.format == "WEBP"
    assert np.array_equal(np.asarray(result.convert("RGB")), np.asarray(drawing))


add("a5-lossless.webp", saved(drawing, "WEBP", lossless=True, exact=True), equals_drawing, ("auto",), upscaler="LANCZOS")

# ---- A6: profiles of a wrong length


def sound_profile(is_kept):
    def check(results, told):
        for kind, path in results.items():
            icc = opened(path).info.get("icc_profile", b"")
            assert not icc or (struct.unpack(">I", icc[:4])[0] == len(icc) and icc[36:40] == b"acsp"), kind
            assert bool(icc) == is_kept, (kind, len(icc))
        assert is_kept or "ICC profile dropped" in told, told

    return check


v4 = bytearray(ADOBE_ICC) + b"\0"
v4[8] = 4
v4[:4] = struct.pack(">I", len(v4))
unsigned = ADOBE_ICC[:36] + b"none" + ADOBE_ICC[40:]
add("a6-padded.jpg", saved(RAMP, "JPEG", icc_profile=ADOBE_ICC + bytes(16)), sound_profile(True), FORMATS)
add("a6-cut.jpg", saved(RAMP, "JPEG", icc_profile=ADOBE_ICC[:300]), sound_profile(False), FORMATS)
add("a6-odd.tif", saved(RAMP, "TIFF", icc_profile=bytes(v4)), sound_profile(True), FORMATS)
add("a6-no-signature.jpg", saved(RAMP, "JPEG", icc_profile=unsigned), sound_profile(False), FORMATS)

# ---- A7: EXIF anywhere in a PNG, of any size

TURN = exif_tiff([(274, 3, 6)])
LONG_TURN = TURN + bytes(70_000)


def turned_with_exif(results, _told):
    assert size(results["png"]) == (64, 96)
    assert opened(results["png"]).getexif().get(274, 1) == 1


add("a7-before.png", png_with(RAMP_PNG, (b"eXIf", TURN)), turned_with_exif)
add("a7-after.png", png_ending(RAMP_PNG, (b"eXIf", TURN)), turned_with_exif)
add("a7-large.png", png_with(RAMP_PNG, (b"eXIf", LONG_TURN)), is_size(64, 96, "EXIF of 70"))

# ---- A8: sides that JPEG does not hold

LONG = saved(Image.new("RGB", (16_380, 4)), "JPEG")


def is_long_png(results, _told):
    result = opened(results["auto"])
    assert (result.format, result.size) == ("PNG", (65_520, 16))


add("a8-auto.jpg", LONG, is_long_png, ("auto",), upscaler="LANCZOS", scale="4")
add("a8-asked.jpg", LONG, refused("65500"), ("jpeg",), upscaler="LANCZOS", scale="4")

# ---- A10: metadata

JPEG = saved(RAMP, "JPEG", quality=95)
IPTC = b"\x1c\x02\x19\0\x03cat" + b"\x1c\x02\x78\0\x01x"
RESOURCES = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC + bytes(len(IPTC) % 2)


def keeps_iptc(results, told):
    for kind, path in results.items():
        assert (IPTC in open(path, "rb").read()) == (kind in ("jpeg", "tiff")), kind
    assert "IPTC is left out" in told, told


def keeps_comment(results, told):
    for kind, path in results.items():
        assert kind != "jpeg" or opened(path).info.get("comment") == b"y", kind
    assert "the comment of the file is left out" in told, told


add("a10a-iptc.jpg", jpeg_with(JPEG, (0xED, RESOURCES)), keeps_iptc, FORMATS)
add("a10a-comment.jpg", jpeg_with(JPEG, (0xFE, b"y")), keeps_comment, FORMATS)


def xmp(properties):
    body = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description {properties}/></rdf:RDF></x:xmpmeta>'
    return b"http://ns.adobe.com/xap/1.0/\0" + body.encode()


GAIN = 'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="a phone"'
MOTION = 'xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MotionPhoto="1" GCamera:MicroVideoOffset="2024" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="a phone"'


def without(words, *said):
    def check(results, told):
        for kind, path in results.items():
            file = open(path, "rb").read()
            assert b"a phone" in file and not any(word in file for word in words), kind
        for word in said:
            assert word in told, told

    return check


gain_map = jpeg_with(JPEG, (0xE1, xmp(GAIN)), (0xE2, b"MPF\0" + exif_tiff([(0xB000, 3, 1)]))) + saved(RAMP.resize((24, 16)), "JPEG")
add("a10b-gain-map.jpg", gain_map, without((b"hdrgm:Version", b"MPF\0"), "gain map", "MPF"), FORMATS)
add("a10b-motion.jpg", jpeg_with(JPEG, (0xE1, xmp(MOTION))) + b"\0\0\0\x18ftypmp42", without((b"MotionPhoto", b"MicroVideo"), "motion photo"), FORMATS)

told_sizes = Image.Exif()
told_sizes[0x100], told_sizes[0x101] = 96, 64
told_sizes.get_ifd(0x8769).update({0xA002: 96, 0xA003: 64})
SIZED = jpeg_with(saved(RAMP, "JPEG", exif=told_sizes.tobytes()), (0xE1, xmp('xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:ImageWidth="96" tiff:ImageLength="64"')))


def says_its_size(results, _told):
    for kind, path in results.items():
        exif = opened(path).getexif()
        inner = exif.get_ifd(0x8769)
        assert (inner.get(0xA002), inner.get(0xA003)) == (192, 128), (kind, dict(inner))
        assert (exif.get(0x100, 192), exif.get(0x101, 128)) == (192, 128), (kind, dict(exif))
        assert b'tiff:ImageWidth="192"' in open(path, "rb").read(), kind


add("a10c-sizes.jpg", SIZED, says_its_size, FORMATS, scale="2")


def keeps_axes(results, _told):
    for kind in ("png", "jpeg", "tiff"):
        x, y = opened(results[kind]).info["dpi"]
        assert abs(x - 204) < 1 and abs(y - 98) < 1, (kind, x, y)


def keeps_ratio(results, _told):
    assert (b"pHYs", struct.pack(">IIB", 2, 1, 0)) in chunks_of(results["png"])


def says_no_density(results, _told):
    assert "dpi" not in opened(results["png"]).info
    assert opened(results["tiff"]).tag_v2.get(296) == 1  # no unit


for kind, extension in (("TIFF", "tif"), ("JPEG", "jpg"), ("PNG", "png")):
    add(f"a10d-fax-{kind.lower()}.{extension}", saved(RAMP, kind, dpi=(204, 98)), keeps_axes, ("png", "jpeg", "tiff"))
add("a10d-ratio.png", png_with(RAMP_PNG, (b"pHYs", struct.pack(">IIB", 2, 1, 0))), keeps_ratio)
add("a10e-none.png", RAMP_PNG, says_no_density, ("png", "tiff"))
add("a10e-stripped.png", RAMP_PNG, says_no_density, ("png", "tiff"), metadata="strip")

packed = PngInfo()
packed.add_text("parameters", "a cat, Steps: 20", zip=True)
packed_itxt = PngInfo()
packed_itxt.add_itxt("parameters", "a cat, Steps: 20", zip=True)


def keeps_parameters(results, _told):
    for kind, path in results.items():
        image = opened(path)
        comment = image.getexif().get_ifd(0x8769).get(0x9286, b"")
        said = image.text.get("parameters") if kind == "png" else comment[8:].decode("utf-16-be")
        assert said == "a cat, Steps: 20", (kind, said)


add("a10f-ztxt.png", saved(RAMP, "PNG", pnginfo=packed), keeps_parameters, FORMATS)
add("a10f-itxt.png", saved(RAMP, "PNG", pnginfo=packed_itxt), keeps_parameters, FORMATS)

XMP_TURN = xmp('xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"')


def turned_and_upright(results, _told):
    for kind, path in results.items():
        assert size(path) == (64, 96), kind
        assert b'tiff:Orientation="6"' not in open(path, "rb").read(), kind


add("a10g-xmp.jpg", jpeg_with(JPEG, (0xE1, XMP_TURN)), turned_and_upright, FORMATS)
xmp_text = b"XML:com.adobe.xmp\0\0\0\0\0" + XMP_TURN[29:]
add("a10g-both.png", png_with(RAMP_PNG, (b"eXIf", TURN), (b"iTXt", xmp_text)), turned_and_upright)


def upright(results, _told):
    for kind, path in results.items():
        assert size(path) == (64, 96) and opened(path).getexif().get(274) == 1, kind


add("a10h-long.jpg", saved(RAMP, "JPEG", exif=b"Exif\0\0" + exif_tiff([(274, 4, 6)])), upright, ("jpeg", "webp", "png"))

# ---- A11: TIFF


def with_extras(count):
    pixels = np.concatenate([np.asarray(RAMP), np.zeros((64, 96, count), "u1")], 2).tobytes()
    channels = 3 + count
    e = tiff_directory
    entries, after = [], 8 + 2 + 10 * 12 + 4
    bits = struct.pack(f"<{channels}H", *[8] * channels)
    extras = bytes(2 * count)
    at = after + len(bits) + len(extras)
    entries = [e(256, 4, 1, 96), e(257, 4, 1, 64), e(258, 3, channels, after), e(259, 3, 1, 1), e(262, 3, 1, 2), e(273, 4, 1, at), e(277, 3, 1, channels)]
    entries += [e(278, 4, 1, 64), e(279, 4, 1, len(pixels)), e(338, 3, count, after + len(bits) if count > 2 else 0)]
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(entries) + bytes(4) + bits + extras + pixels


def is_ramp(results, told):
    result = opened(results["png"])
    assert result.mode == "RGB" and np.array_equal(np.asarray(result), np.asarray(RAMP))
    assert "neither colour nor alpha" in told, told


add("a11a-one.tif", with_extras(1), is_ramp)
add("a11a-two.tif", with_extras(2), is_ramp)
add("a11a-three.tif", with_extras(3), refused("a TIFF of 6 channels"))
for value in (0, 9):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[274] = value
    add(f"a11b-{value}.tif", saved(RAMP, "TIFF", tiffinfo=tags), is_size(96, 64))


def not_damaged(*words):
    def check(results, told):
        refused(*words)(results, told)
        assert "damaged" not in told, told

    return check


add("a11c-zstd.tif", saved(RAMP, "TIFF", compression="zstd"), not_damaged("ZSTD"))
add("a11c-float.tif", saved(Image.new("F", (32, 32), 0.5), "TIFF"), not_damaged("float"))

# ---- A12: sizes, and a text with a wrong checksum

square = saved(Image.new("RGB", (100, 100)), "PNG")
add("a12-times-2.3.png", square, is_size(230, 230), scale="2.3")
add("a12-times-1.15.png", square, is_size(115, 115), scale="1.15")
bad_text = bytearray(png_with(RAMP_PNG, (b"tEXt", b"Author\0somebody")))
bad_text[33 + 8 + 15] ^= 1
add("a12-text.png", bytes(bad_text), is_size(96, 64, "damaged"))

# ---- A13, A14


def is_gray(results, _told):
    assert opened(results["png"]).mode == "L"


def clear_beside(results, _told):
    result = opened(results["png"]).convert("RGBA")
    assert result.getpixel((0, 0))[3] == 0 and result.getpixel((20, 20)) == (255, 0, 0, 255)


gif = bytearray(saved(flat((255, 0, 0), 24), "GIF"))
gif[6:10] = struct.pack("<HH", 40, 40)
at = gif.index(b"\x2c", 13)
gif[at + 1 : at + 5] = struct.pack("<HH", 8, 8)
add("a13-gray.avif", (TOLD / "one-channel.avif").read_bytes(), is_gray)
add("a13-partial.gif", bytes(gif), clear_beside)
add("a13-no-iend.png", RAMP_PNG[:-12], lambda results, told: told or size(results["png"]))
add("a13-no-eoi.jpg", JPEG[:-2], lambda results, told: told or size(results["png"]))
for name, kind in (("bmp", "BMP"), ("ppm", "PPM"), ("tga", "TGA"), ("ico", "ICO")):
    add(f"a13-{name}.{name}", saved(RAMP, kind), refused("convert it first" if kind != "TGA" else "expected"))
endless = bytes.fromhex("00000018667479706176696600000000617669666d696631" + "0000000166726565" + "0000000000000000")
add("a14-endless.avif", endless, refused("a14-endless"))
add("a14-stray.jpg", JPEG[:2] + JPEG[2:20] + b"\0\0\0" + JPEG[20:], is_size(96, 64, "stray"))
tall_rows = zlib.compressobj(9)
tall = b"".join(tall_rows.compress(b"\0\x80" * 2**16) for _ in range(2**10)) + tall_rows.flush()
tall_parts = (b"IHDR", struct.pack(">2I5B", 1, 2**26, 8, 0, 0, 0, 0)), (b"IDAT", tall), (b"IEND", b"")
add("a14-tall.png", RAMP_PNG[:8] + b"".join(chunk(*part) for part in tall_parts), refused("a side of more than 1048576 pixels"))


def tiled(byte_count):
    """Six tiles of 32 x 32, each of whose lengths the file tells as `byte_count`."""
    tiles = [np.asarray(RAMP)[y : y + 32, x : x + 32].tobytes() for y in (0, 32) for x in (0, 32, 64)]
    bits = 8 + 2 + 10 * 12 + 4
    lists = bits + 6
    pixels = lists + 2 * 24
    e = tiff_directory
    entries = [e(256, 4, 1, 96), e(257, 4, 1, 64), e(258, 3, 3, bits), e(259, 3, 1, 1), e(262, 3, 1, 2), e(277, 3, 1, 3)]
    entries += [e(322, 4, 1, 32), e(323, 4, 1, 32), e(324, 4, 6, lists), e(325, 4, 6, lists + 24)]
    values = struct.pack("<3H6I6I", 8, 8, 8, *[pixels + i * 3072 for i in range(6)], *[byte_count] * 6)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(entries) + bytes(4) + values + b"".join(tiles)


def same_as_ramp(results, _told):
    assert np.array_equal(np.asarray(opened(results["png"])), np.asarray(RAMP))


add("a14-tiles.tif", tiled(3072), same_as_ramp)
add("a14-tile-counts.tif", tiled(7), refused("damaged"))
