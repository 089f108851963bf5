"""Draws the curve of a log, or of several that follow each other: held-out gain over LANCZOS by step.

    python training/plot.py --log training/runs/main/log.jsonl training/runs/fine/log.jsonl --output training/curve.png
"""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot


def plot(logs: list[Path], output: Path) -> None:
    figure, axes = pyplot.subplots(figsize=(7, 3.6), dpi=90)
    begin = 0
    for index, log in enumerate(logs):
        entries = [json.loads(line) for line in log.read_text().splitlines()]
        steps = [begin + entry["step"] for entry in entries]
        for key, label, colour in (("gain", "halved by BICUBIC", "C0"), ("gain_jpeg85", "the same, then JPEG 85", "C1")):
            axes.plot(steps, [entry[key] for entry in entries], "o-", ms=3, color=colour, label=None if index else label)
        begin = steps[-1]
        if index + 1 < len(logs):
            axes.axvline(begin, color="grey", linestyle=":")
    axes.set(xlabel="step", ylabel="dB over LANCZOS", title="COMPACT_X2 on held-out procedural tiles")
    axes.grid(alpha=0.3)
    axes.legend(loc="center right")
    figure.tight_layout()
    figure.savefig(output)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--log", type=Path, nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    plot(options.log, options.output)
