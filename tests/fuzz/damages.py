"""Prints what every command that reads a run does where a file of its folder is damaged.

`python tests/fuzz/damages.py`: a row for each file and damage, a column for each command: ``=``
where it ends as for the whole folder, ``x`` where it is refused in one sentence that names the
file, and ``!`` for what is wrong.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[0] = str(HERE.parent)

from fuzz.groups import run_folders as cases  # noqa: E402
from fuzz.inputs import load_groups  # noqa: E402
from fuzz.warm import Asked, prepared, run, start  # noqa: E402

NAME = "run-folders"


def main() -> int:
    """Run all cases and print the table; 1 where something is wrong."""
    start(HERE.parents[1] / "src")
    load_groups()
    root = Path(tempfile.mkdtemp(prefix="damages-"))
    try:
        prepared(root, [NAME])
        asked = [Asked(NAME, number, 0) for number in range(len(cases.CASES))]
        rows = list(run(asked, root, os.cpu_count() or 1, time.monotonic() + 3600))
    finally:
        shutil.rmtree(root, ignore_errors=True)
    ended = {tuple(row["about"].split("; ")): row for row in rows}
    print(" " * 40, *(f"{name[:8]:9}" for name in cases.COMMANDS))
    for file, damage in dict.fromkeys(case[:2] for case in cases.CASES):
        of = [ended.get((file, damage, command)) for command in cases.COMMANDS]
        marks = ["!" if row is None or row["wrong"] else "x" if row["code"] else "=" for row in of]
        print(f"{file:21}{damage:20}", *(f"{mark:9}" for mark in marks))
    wrong = [row for row in rows if row["wrong"]]
    refused = sum(row["code"] != 0 for row in rows) - len([r for r in wrong if r["code"]])
    print(
        f"{len(rows)} cases: {len(rows) - refused - len(wrong)} right, {refused} refused, ", end=""
    )
    print(f"{len(wrong)} wrong")
    for row in wrong:
        print(f"wrong: {row['about']}: {row['wrong']}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
