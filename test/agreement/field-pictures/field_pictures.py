"""Makes the pictures of recipes.py, and says of their results whether they are what they have to be.

usage: field_pictures.py make FOLDER     (cases.json says what is to be asked)
       field_pictures.py check FOLDER    (told.json says what came, by case, way and format)
"""
import json
import sys
from pathlib import Path

from recipes import CASES


def make(folder):
    for case in CASES:
        (folder / f"{case.name}.{case.extension}").write_bytes(case.file)
    asked = [{"file": f"{case.name}.{case.extension}", "name": case.name, "options": case.options, "formats": case.formats} for case in CASES]
    (folder / "cases.json").write_text(json.dumps(asked))


def check(folder):
    told = json.loads((folder / "told.json").read_text())
    wrong = 0
    for case in CASES:
        for way, outcomes in told[case.name].items():
            said = "; ".join(outcome["said"] for outcome in outcomes.values())
            results = {kind: outcome["file"] for kind, outcome in outcomes.items()}
            try:
                case.check(results, said)
            except Exception as error:  # of any kind: a result that cannot be opened is wrong too
                wrong += 1
                print(f"WRONG {case.name} by {way}: {type(error).__name__} {error} [{said}]")
    print(f"{len(CASES)} pictures, each by the command line and by POST /upscale: {wrong} wrong")
    return wrong


command, path = sys.argv[1:]
sys.exit(make(Path(path)) if command == "make" else check(Path(path)) > 0)
