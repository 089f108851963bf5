"""PSNR and SSIM on luma against Pillow's LANCZOS and BICUBIC, for photographs that no training ever saw.

    python training/evaluate.py --weights models/compact-x2.safetensors --photos FOLDER [--jpeg 85] [--background white] [--tta 1]
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from degrade import jpeg
from model import Compact, shape_of

BORDER = 4
# As app/architectures/mirrored-views.ts and app/processing/upscalers.ts have it.
MIRRORED_AXES = [(), (2, 3), (3,), (2,)]
PIXELS_IN_VIEWS = 400_000
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}


def luma(rgb):
    """Y of BT.601 in [16, 235], from RGB in [0, 255], rows x columns x 3."""
    return np.asarray(rgb, np.float64) @ np.array([65.481, 128.553, 24.966]) / 255 + 16


def _cropped(image, border: int = BORDER):
    return image[border:-border, border:-border]


def psnr(reference, candidate) -> float:
    """dB between two luma planes, border left out."""
    error = np.mean((_cropped(reference) - _cropped(candidate)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-10)))


def ssim(reference, candidate) -> float:
    """Wang et al. 2004: an 11 x 11 Gaussian window, sigma 1.5, 'valid' positions only."""
    line = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    line /= line.sum()

    def blur(plane):
        rows = np.lib.stride_tricks.sliding_window_view(plane, 11, axis=0) @ line
        return np.lib.stride_tricks.sliding_window_view(rows, 11, axis=1) @ line

    x, y = _cropped(reference), _cropped(candidate)
    mx, my = blur(x), blur(y)
    vx, vy, cov = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float(np.mean((2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))))


def load_model(path: Path) -> Compact:
    state = load_file(str(path))
    model = Compact(**shape_of(state))
    model.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    return model.eval()


def auto_views(small: Image.Image) -> int:
    """How many mirrored views COMPACT_X2 is shown where nobody says."""
    return next((views for views in (4, 2) if views * small.width * small.height <= PIXELS_IN_VIEWS), 1)


def enlarge(model: Compact, small: Image.Image, views: int = 1) -> Image.Image:
    """The picture at twice the size, the mean of mirrored views: in float32, clipped and rounded to 8 bits."""
    pixels = torch.from_numpy(np.asarray(small).copy()).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        mean = sum(model(pixels.flip(axes)).flip(axes) for axes in MIRRORED_AXES[:views])[0] / views
        result = mean.clamp(0, 1).mul(255).round().to(torch.uint8)
    return Image.fromarray(result.permute(1, 2, 0).contiguous().numpy())


def flattened(image: Image.Image, background: str | None) -> Image.Image:
    """The picture as RGB: what shows of it over a colour, or (None) the stored colours, whatever its transparency hides."""
    if background is None or not image.has_transparency_data:
        return image.convert("RGB")
    base = Image.new("RGBA", image.size, background)
    base.alpha_composite(image.convert("RGBA"))
    return base.convert("RGB")


def halved(image: Image.Image, quality: int | None, background: str | None = None):
    """(the picture as RGB with even sides, its BICUBIC half, JPEG-compressed when a quality is given)."""
    sharp = flattened(image, background)
    sharp = sharp.crop((0, 0, sharp.width // 2 * 2, sharp.height // 2 * 2))
    small = sharp.resize((sharp.width // 2, sharp.height // 2), Image.Resampling.BICUBIC)
    return sharp, jpeg(small, quality) if quality else small


def score(model: Compact, image: Image.Image, quality: int | None = None, background: str | None = None, views: int | None = None) -> dict:
    """{'model' | 'lanczos' | 'bicubic': (psnr, ssim)} for one picture; as many views as the size asks for unless they are given."""
    sharp, small = halved(image, quality, background)
    truth = luma(sharp)
    answers = {
        "model": enlarge(model, small, views or auto_views(small)),
        "lanczos": small.resize(sharp.size, Image.Resampling.LANCZOS),
        "bicubic": small.resize(sharp.size, Image.Resampling.BICUBIC),
    }
    return {name: (psnr(truth, luma(picture)), ssim(truth, luma(picture))) for name, picture in answers.items()}


def report(scores: dict[str, dict]) -> str:
    """A markdown table, one row per picture and a mean."""
    rows = ["| picture | LANCZOS | BICUBIC | COMPACT_X2 | gain over LANCZOS |", "| --- | --- | --- | --- | --- |"]
    mean = {kind: tuple(np.mean([s[kind] for s in scores.values()], axis=0)) for kind in ("model", "lanczos", "bicubic")}
    for name, entry in [*scores.items(), ("**mean**", mean)]:
        cell = {kind: f"{value[0]:.2f} / {value[1]:.4f}" for kind, value in entry.items()}
        gain = f"{entry['model'][0] - entry['lanczos'][0]:+.2f} dB"
        rows.append(f"| {name} | {cell['lanczos']} | {cell['bicubic']} | {cell['model']} | {gain} |")
    return "\n".join(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--photos", type=Path, nargs="+", required=True, help="folders or files")
    parser.add_argument("--jpeg", type=int, help="compress the small picture at this quality first")
    parser.add_argument("--background", help="what shows behind transparent pictures (white, ...); else their stored colours count")
    parser.add_argument("--tta", type=int, choices=[1, 2, 4], help="mean of so many mirrored views; by default as the service does: several for small pictures")
    options = parser.parse_args()
    network = load_model(options.weights)
    files = [f for p in options.photos for f in (sorted(p.iterdir()) if p.is_dir() else [p]) if f.suffix.lower() in SUFFIXES]
    print(report({file.name: score(network, Image.open(file), options.jpeg, options.background, options.tta) for file in files}))
