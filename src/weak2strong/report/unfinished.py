"""The progress of a run that is not finished, read from its study and its events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from weak2strong.config.study import StudyConfig
from weak2strong.engine.events import FILE as EVENTS
from weak2strong.engine.events import read_events
from weak2strong.engine.recorded import OLD_NAMES, RESULTS, STUDY, read_config
from weak2strong.engine.state import state_of
from weak2strong.experiments import EXPERIMENTS
from weak2strong.ground.errors import UserError
from weak2strong.ground.folder import FolderFiles
from weak2strong.models.reads import reads
from weak2strong.protocol.choice import searched_roles
from weak2strong.tasks.inputs import SORTS

RECENT = 12
"""The number of steps that the page names."""


@dataclass(frozen=True)
class Unfinished:
    """The progress of a run.

    Attributes:
        config: the study of the run.
        done: the names of the steps done since its last start, in that order.
        total: the number of all steps.
        kinds: the numbers of done and of all steps, by kind.
        reused: how many of the done steps the store had.
        warnings: sentences for the reader.
        began: the time of its last start.
        last: the time of its last event.
    """

    config: StudyConfig
    done: tuple[str, ...]
    total: int
    kinds: Mapping[str, tuple[int, int]]
    reused: int
    warnings: tuple[str, ...]
    began: datetime
    last: datetime

    @property
    def title(self) -> str:
        """The pair of models."""
        return f"{self.config.weak_name} to {self.config.strong.name}"

    @property
    def seconds_left(self) -> float | None:
        """A guess from the speed of the steps that were made, not reused; None before the first."""
        made = len(self.done) - self.reused
        if made <= 0:
            return None
        return (self.last - self.began).total_seconds() / made * (self.total - len(self.done))


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
    config, events = read_config(files), read_events(folder)
    # A log that has lost its beginning is read from where it goes on.
    began = events[0]["time"] if events else datetime.now(UTC).isoformat()
    state = state_of([{"event": "start", "time": began}, *events])
    assert state is not None
    tasks, seeds = len(config.tasks), config.seeds
    has_words = SORTS[reads(config.strong)].has_words
    of_kind = {
        "rates": tasks * len(searched_roles(config)),
        "supervisor": 0 if config.given_labels else tasks * seeds,
        "ceiling": tasks * seeds,
        "probe": tasks * len(config.seeds_of_checks),
        "ngrams": tasks * len(config.seeds_of_checks) if has_words else 0,
        "student": tasks * seeds * len(config.methods),
    }
    words = [[OLD_NAMES.get(word, word) for word in one.name.split()] for one in state.done]
    counted = Counter(kind for name in words for kind in of_kind if kind in name)
    return Unfinished(
        config=config,
        done=tuple(one.name for one in state.done),
        total=sum(of_kind.values()),
        kinds={kind: (counted[kind], n) for kind, n in of_kind.items() if n},
        reused=state.reused,
        warnings=state.warnings,
        began=state.began,
        last=state.last,
    )
