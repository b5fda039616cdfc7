"""What the frozen student tells of a sample before any training, kept in the store."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

from weak2strong.models.load import loader_of
from weak2strong.models.resolve import fingerprint
from weak2strong.protocol.asked_model import read_and_told
from weak2strong.protocol.foreknowledge import Foreknowledge, reader_of, sample_of
from weak2strong.protocol.read import read_digest
from weak2strong.protocol.stages.frozen import frozen_settings
from weak2strong.protocol.task_run import TaskRun, Write

FOUND = "foreknowledge.json"


def foreknown(task_run: TaskRun, device: str) -> Foreknowledge | None:
    """Whether the frozen strong model knows anything of the task; None where that is not told.

    It is of ground truth of ``weak_train`` alone, and no other stage reads it.

    Args:
        task_run: of a task.
        device: where the model reads: "cpu", "cuda" or "mps".
    """
    model, task = reader_of(task_run.config.strong), task_run.task
    sample = sample_of(model, task, task_run.splits.weak_train, device)
    if not sample:
        return None

    def make(working: Path) -> Write:
        found = read_and_told(task_run.config.strong, task, sample)
        text = json.dumps(asdict(found))

        def write(folder: Path) -> None:
            (folder / FOUND).write_text(text, encoding="utf-8")

        return write

    fields = {"kind": task.kind, "classes": len(task.classes), "model": frozen_settings(model)}
    inputs = {"weights": fingerprint(model), "sample": read_digest(sample, model)}
    entry = task_run.stage("foreknown", fields, inputs, make, (loader_of(model),))
    found = Foreknowledge(**json.loads((entry.path / FOUND).read_text(encoding="utf-8")))
    # The same weights and texts may have had other names.
    return replace(found, task=task.name, model=model.name)
