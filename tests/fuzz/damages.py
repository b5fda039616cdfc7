"""Prints what every command that reads a run or an experiment does where a file is damaged.

`python tests/fuzz/damages.py [run-folders|experiment-folders]`: a row for each file and damage, a
column for each command: ``=`` where it ends as for the whole folder, ``x`` where it is refused in
one sentence that names the file, and ``!`` for what is wrong.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[0] = str(HERE.parent)

from fuzz.groups import experiment_folders, run_folders  # noqa: E402
from fuzz.inputs import load_groups  # noqa: E402
from fuzz.warm import Asked, prepared, run, start  # noqa: E402

TABLES = {
    "run-folders": (run_folders.COMMANDS, lambda folder: run_folders.CASES),
    "experiment-folders": (
        experiment_folders.COMMANDS,
        lambda folder: [
            (f"{name}/{file}", *rest) for name, file, *rest in experiment_folders.cases(folder)
        ],
    ),
}
"""The columns of each table, and its cases."""


def main() -> int:
    """Run all cases of each table and print it; 1 where something is wrong."""
    start(HERE.parents[1] / "src")
    load_groups()
    root = Path(tempfile.mkdtemp(prefix="damages-"))
    try:
        return max([_table(name, root) for name in sys.argv[1:] or TABLES])
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _table(name: str, root: Path) -> int:
    prepared(root, [name], HERE.parents[1])
    commands, cases_of = TABLES[name]
    cases = cases_of(root / "prepared" / name)
    asked = [Asked(name, number, 0) for number in range(len(cases))]
    rows = list(run(asked, root, os.cpu_count() or 1, time.monotonic() + 3600))
    ended = {tuple(row["about"].split("; ")): row for row in rows}
    print(" " * 52, *(f"{command[:8]:9}" for command in commands))
    for file, damage in dict.fromkeys(tuple(case[:2]) for case in cases):
        of = [ended.get((file, damage, command)) for command in commands]
        marks = ["!" if row is None or row["wrong"] else "x" if row["code"] else "=" for row in of]
        print(f"{file:33}{damage:20}", *(f"{mark:9}" for mark in marks))
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
