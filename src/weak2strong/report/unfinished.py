"""The progress of a run that is not finished, read from its study and its events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from weak2strong.config.study import StudyConfig
from weak2strong.engine.events import FILE as EVENTS
from weak2strong.engine.events import at_work, read_events
from weak2strong.engine.recorded import RESULTS, STUDY, read_config
from weak2strong.engine.state import RunState, state_of
from weak2strong.experiments import EXPERIMENTS
from weak2strong.ground.errors import UserError
from weak2strong.ground.folder import FolderFiles


@dataclass(frozen=True)
class Unfinished:
    """The progress of a run.

    Attributes:
        config: the study of the run.
        state: where it stands.
    """

    config: StudyConfig
    state: RunState

    @property
    def title(self) -> str:
        """The pair of models."""
        return f"{self.config.weak_name} to {self.config.strong.name}"


def read_unfinished(folder: Path) -> Unfinished | None:
    """The progress of a run; None for a finished run.

    Raises:
        UserError: where the folder holds no run.
    """
    files = FolderFiles(folder, "run")
    if files.has(RESULTS):
        return None
    if not files.has(STUDY) or not (folder / EVENTS).exists():
        raise UserError(
            f"{folder} holds no run: name a folder that `w2s run` wrote, such as runs/latest, or "
            f"that of a finished experiment ({', '.join(f'`w2s {name}`' for name in EXPERIMENTS)})."
        )
    somebody, config, events = at_work(folder), read_config(files), read_events(folder)
    # A log that has lost its beginning is read from where it goes on.
    began = events[0]["time"] if events else datetime.now(UTC).isoformat()
    state = state_of([{"event": "start", "time": began}, *events])
    assert state is not None
    return Unfinished(config, state.beside(somebody))
