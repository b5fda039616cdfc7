"""What became of each mutant: a file with a line for each run, and the report."""

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from mutants import Mutant


class Results:
    """The lines of a file; a mutant that was run more than once counts as it did last."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first: dict[str, dict[str, Any]] = {}
        self.last: dict[str, dict[str, Any]] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text() if path.exists() else ""
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            # What a kill left of a line.
            path.write_text(whole)
        for line in whole.splitlines():
            self._take(json.loads(line))

    def _take(self, row: dict[str, Any]) -> None:
        self.first.setdefault(row["mutant"], row)
        self.last[row["mutant"]] = row

    def add(self, mutant: Mutant, found: dict[str, Any], tests: int) -> None:
        """Write a line, whole."""
        row = {
            "mutant": mutant.name,
            "file": mutant.file,
            "line": mutant.line,
            "operator": mutant.operator,
            "outcome": found["outcome"],
            "test": found.get("test"),
            "tests": tests,
            "seconds": found["seconds"],
        }
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(file, (json.dumps(row, ensure_ascii=False) + "\n").encode())
        os.fsync(file)
        os.close(file)
        self._take(row)

    def survivors(self) -> list[str]:
        """The names of mutants that no test noticed."""
        return [name for name, row in self.last.items() if row["outcome"] == "passed"]


def reasons(explained: Path) -> dict[str, str]:
    """By mutant, why no test notices it."""
    return {x["mutant"]: x["why"] for x in yaml.safe_load(explained.read_text()) or []}


def report(results: Results, mutants: Sequence[Mutant], explained: Path) -> str:
    """Scores by module, and the mutants that no test noticed."""
    why = reasons(explained)
    run = [m for m in mutants if m.name in results.last]
    counts = {part: Counter[str]() for part in (*sorted({_part(m) for m in run}), "all")}
    left = []
    for mutant in run:
        first, last = (r[mutant.name]["outcome"] for r in (results.first, results.last))
        fate = "killed" if last != "passed" else "explained" if mutant.name in why else "survived"
        for part in (_part(mutant), "all"):
            counts[part].update(("run", fate, f"first {first}"))
        if fate == "survived":
            left.append(mutant)
    lines = [f"{'':28}{'mutants':>8}{'killed':>8}{'first':>8}{'explained':>10}{'survived':>9}"]
    for part, count in counts.items():
        if n := count["run"]:
            first = n - count["first passed"]
            lines.append(
                f"{part:28}{n:8}{count['killed'] / n:8.1%}{first / n:8.1%}"
                f"{count['explained']:10}{count['survived']:9}"
            )
    seconds = sum(results.last[m.name]["seconds"] for m in run)
    lines.append(f"{len(run)} of {len(mutants)} were run, {seconds / max(1, len(run)):.1f} s each.")
    lines += [f"\nsurvived: {m.name}\n  {m.file}:{m.line} ({m.operator})" for m in left]
    return "\n".join(lines)


def _part(mutant: Mutant) -> str:
    return mutant.file if mutant.file.count("/") < 2 else mutant.file.rpartition("/")[0]
