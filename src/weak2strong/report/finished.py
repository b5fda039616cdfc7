"""A finished run as figures and pages take it: its folder read once, and what follows from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weak2strong.analysis.audit.run import RunAudit, read_run_audit
from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.over_tasks import OverTasks, over_tasks
from weak2strong.analysis.summary import Line
from weak2strong.analysis.tested import Tested, read_tested
from weak2strong.engine.examples import read_examples

if TYPE_CHECKING:
    import polars as pl


def read_environment(folder: Path) -> Mapping[str, Any]:
    """Versions, device and commit; nothing where the file is not there."""
    path = folder / "environment.json"
    return json.loads(path.read_text()) if path.exists() else {}


class Finished(FinishedRun):
    """A finished run with what pages and figures make of it."""

    @property
    def title(self) -> str:
        """The pair of models, and of which entities they were asked."""
        unseen = ", unseen entities" if self.config.entities == "unseen" else ""
        return f"{self.config.weak_name} to {self.config.strong.name}{unseen}"

    @cached_property
    def environment(self) -> Mapping[str, Any]:
        """Versions, device and commit; nothing where the file is not there."""
        return read_environment(self.folder)

    @cached_property
    def audit(self) -> RunAudit | None:
        """What an audit found in its tasks; None where there was none, or of other tasks."""
        found = read_run_audit(self.folder)
        return found and found.of(self.by_task)

    @cached_property
    def examples(self) -> pl.DataFrame | None:
        """Texts of some test examples; None in older runs."""
        return read_examples(self.folder)

    @cached_property
    def lines(self) -> list[Line]:
        """One a task and method, on the study's metric."""
        return self._summarised()

    @cached_property
    def over(self) -> OverTasks | None:
        """PGR over tasks; None where there is one."""
        return over_tasks(self.config, self.predictions, self.lines)

    @cached_property
    def by_task(self) -> dict[str, list[Line]]:
        """The lines of each task, one a method."""
        found = dict[str, list[Line]]()
        for line in self.lines:
            found.setdefault(line.task, []).append(line)
        return found

    @cached_property
    def tested(self) -> dict[str, Tested]:
        """The test set of each task: answers, what they say, and whether they are right."""
        return {task: read_tested(self.config, self.predictions, task) for task in self.by_task}
