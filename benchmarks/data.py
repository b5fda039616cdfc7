"""How long a user's data take before anything is trained, and how much memory that needs.

A file of JSON lines with so many rows of 200 characters (made-up words, two classes) is read,
checked, cleaned, looked through for near-duplicates, and split; then what `w2s tasks` shows is
counted. Every size has a process of its own.

    python benchmarks/data.py --rows 10000 100000 1000000
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from process import parser_of, peak_bytes

LENGTH = 200
"""Characters of a text."""

WORDS = 20_000
"""Different words."""


def write(path: Path, rows: int) -> None:
    """Write a file of so many texts, which have nothing in common but words."""
    dice = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(dice.choices(letters, k=dice.randint(2, 9))) for _ in range(WORDS)]
    with path.open("w") as file:
        for i in range(rows):
            text = " ".join(dice.choices(words, k=LENGTH // 3))[:LENGTH]
            file.write(json.dumps({"text": text, "label": i % 2}) + "\n")


def measure(path: Path) -> dict[str, float]:
    """Seconds by the clock and of the processor, and bytes at the peak, in this process."""
    from weak2strong.config.data import DataOptions
    from weak2strong.engine.contents import contents
    from weak2strong.tasks.find import find_task
    from weak2strong.tasks.splits import make_splits

    began, busy = time.perf_counter(), time.process_time()
    task = find_task(str(path), DataOptions())
    found = contents(str(path), task, make_splits(task))
    return {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - busy,
        "bytes": peak_bytes(),
        "examples": sum(row["examples"] for row in found.splits),
    }


def _flags() -> argparse.ArgumentParser:
    parser = parser_of(__doc__)
    sizes = [10_000, 100_000, 1_000_000]
    parser.add_argument("--rows", type=int, nargs="+", default=sizes, help="sizes to measure")
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    return parser


def main() -> None:
    """Print a row a size, as Markdown; or, in a process of its own, what one file takes."""
    flags = _flags().parse_args()
    if flags.file:
        return print(json.dumps(measure(flags.file)))
    print("| rows | examples | seconds | CPU seconds | peak GiB |\n|---|---|---|---|---|")
    with TemporaryDirectory() as folder:
        for rows in flags.rows:
            path = Path(folder) / f"{rows}.jsonl"
            write(path, rows)
            command = [sys.executable, __file__, "--file", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            m = json.loads(done.stdout)
            print(
                f"| {rows:,} | {m['examples']:,} | {m['seconds']:.1f} | {m['cpu']:.1f} "
                f"| {m['bytes'] / 2**30:.2f} |",
                flush=True,
            )
            path.unlink()
    return None


if __name__ == "__main__":
    main()
