"""Times Pillow's resize. Prints Pillow's version, then for every line on stdin, [mode, filter, [from], [to]], a JSON object of milliseconds.

Milliseconds of the processor: those that other programs take are no one's here.
"""

import json
import os
import sys
import time

from PIL import Image, __version__

BYTES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "I;16": 2}


def main():
    pictures = {}
    print("Pillow", __version__, flush=True)
    for line in sys.stdin:
        mode, filter, source, target = json.loads(line)
        key = (mode, *source)
        if key not in pictures:
            pictures = {key: Image.frombytes(mode, source, os.urandom(source[0] * source[1] * BYTES[mode]))}
        start = time.process_time()
        pictures[key].resize(target, Image.Resampling[filter])
        print(json.dumps({"pillow": (time.process_time() - start) * 1000}), flush=True)


main()
