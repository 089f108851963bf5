"""Draws the curve of a run: held-out gain over LANCZOS by step.

    python training/plot.py --run training/runs/main --output training/curve.png
"""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot


def plot(run: Path, output: Path) -> None:
    entries = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    steps = [entry["step"] for entry in entries]
    figure, axes = pyplot.subplots(figsize=(7, 3.6), dpi=90)
    axes.plot(steps, [entry["gain"] for entry in entries], label="halved by BICUBIC")
    axes.plot(steps, [entry["gain_jpeg85"] for entry in entries], label="the same, then JPEG 85")
    axes.set(xlabel="step", ylabel="dB over LANCZOS", title="COMPACT_X2 on held-out procedural tiles")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.tight_layout()
    figure.savefig(output)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    plot(options.run, options.output)
