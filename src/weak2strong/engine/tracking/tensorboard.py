"""TensorBoard: event files below ``tensorboard`` in the run folder, a folder for each training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from weak2strong.engine.tracking.tracker import TrackedRun, TrackedTraining, plain_numbers

FOLDER = "tensorboard"


class TensorBoard:
    """Writes files that ``tensorboard --logdir`` reads; nothing leaves the machine."""

    package: ClassVar[str] = "tensorboard"
    extra: ClassVar[str] = "tensorboard"

    def start(self, run: TrackedRun) -> str:
        """Begin anew: files of an earlier run in the folder would draw every line twice."""
        self._folder = run.folder / FOLDER
        for old in self._folder.rglob("events.out.tfevents.*"):
            old.unlink()
        with self._writer("study") as writer:
            settings = json.dumps(run.settings, indent=1)
            writer.add_text("settings", f"```json\n{settings}\n```")
        return f"tensorboard --logdir {self._folder}"

    def training(self, training: TrackedTraining) -> None:
        """A folder for each training, so that TensorBoard draws them over each other."""
        with self._writer(training.name) as writer:
            for step, numbers in training.numbers():
                for name, value in numbers.items():
                    writer.add_scalar(name, value, step)

    def results(self, table: Sequence[Mapping[str, Any]], page: Path) -> None:
        """The table as text, and PGR and scores as single numbers."""
        with self._writer("study") as writer:
            for row in table:
                for name, value in plain_numbers(row).items():
                    writer.add_scalar(f"{name}/{row['task']} {row['method']}", value, 0)
            writer.add_text("results", _markdown(table))
            writer.add_text("report", str(page))

    def end(self, failed: bool) -> None:
        """Nothing is open."""

    def _writer(self, name: str) -> Any:
        from torch.utils.tensorboard import SummaryWriter

        return SummaryWriter(str(self._folder / quote(name, safe=" +=,()")))


def _markdown(table: Sequence[Mapping[str, Any]]) -> str:
    if not table:
        return ""
    head = list(table[0])
    lines = [head, ["---"] * len(head), *([str(row[name]) for name in head] for row in table)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
