"""The flags that say what a study is, which the commands that compute one share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import Positional, arg

from weak2strong.cli.data import Data
from weak2strong.cli.finetuning import Finetuning

if TYPE_CHECKING:
    from weak2strong.config.study import StudyConfig


Model = Annotated[str | None, arg(metavar="MODEL", help_behavior_hint="")]
Names = Annotated[tuple[str, ...] | None, arg(metavar="NAME ...", help_behavior_hint="")]
Number = Annotated[int | None, arg(metavar="N", help_behavior_hint="")]
Places = Annotated[tuple[Path, ...] | None, arg(metavar="PATH ...", help_behavior_hint="")]
Place = Annotated[Path | None, arg(metavar="PATH", help_behavior_hint="")]


@dataclass(frozen=True)
class Asked:
    """What is asked: tasks, models and seeds, and where everything goes."""

    study: Positional[Place] = None
    """A study as YAML, such as the study.yaml of an earlier run; flags override it."""
    task: Names = None
    """Tasks or groups by name, such as atlas-suite (default: atlas-asia; see: w2s tasks), your
    own files (.jsonl, .csv, .parquet), or datasets of the hub (owner/name)."""
    parts: Annotated[
        tuple[Path, ...] | None, arg(name="data", metavar="PATH ...", help_behavior_hint="")
    ] = None
    """In place of --task, data that are split already: folders with train_label.jsonl (for the
    supervisor), train_unlabel.jsonl (for the student) and test.jsonl, or three such files. With
    a --task that takes a file, that file (see: w2s tasks)."""
    weak: Model = None
    """Supervisor model: a ladder rung, a folder, or a hub id[@revision] (default: atlas-s)."""
    strong: Model = None
    """Student and ceiling model, likewise (default: atlas-l)."""
    plugin: Places = None
    """Python files that add methods, losses, probes or tasks of your own."""
    seeds: Number = None
    """How many seeds (default: 5); each varies initialisation, order and supervisor."""
    metric: Annotated[str | None, arg(metavar="METRIC", help_behavior_hint="")] = None
    """What scores and PGR are computed on: accuracy (default) or roc_auc; exact_match of tasks that
    are answered in words."""
    weak_labels: Place = None
    """A csv, jsonl or parquet file of your own weak labels, in place of a supervisor."""
    entities: Annotated[
        Literal["seen", "unseen"] | None, arg(metavar="{seen,unseen}", help_behavior_hint="")
    ] = None
    """Ask about what the ladder has read about (default), or about what no rung can know."""
    train_difficulty: Annotated[str | None, arg(metavar="RANGE", help_behavior_hint="")] = None
    """Train and validate on such examples alone, where a task says how hard they are: below:1200,
    above:1600, between:1200:1600, easiest:0.5 or hardest:0.25 (a share of the task)."""
    test_difficulty: Annotated[str | None, arg(metavar="RANGE", help_behavior_hint="")] = None
    """Test on such examples alone, likewise: easy to hard, for instance."""
    out: Place = None
    """The run folder; a new one below runs/ by default."""
    store: Place = None
    """Where stages are kept; ~/.cache/weak2strong by default, or $W2S_STORE."""
    quiet: Annotated[bool, arg(help_behavior_hint="")] = False
    """Show no progress."""
    finetuning: Finetuning = field(default_factory=Finetuning)
    data: Data = field(default_factory=Data)

    def study_config(
        self,
        methods: tuple[str, ...] | None = None,
        intermediates: tuple[str, ...] | None = None,
        supervisors: tuple[str, ...] | None = None,
    ) -> StudyConfig:
        """The study that these flags, and what a command has beside them, describe."""
        from weak2strong.config.study import StudyConfig, read_study

        config = read_study(self.study) if self.study else StudyConfig()
        given: dict[str, Any] = {
            "tasks": _parted(self.parts, self.task) if self.parts else self.task,
            "methods": methods,
            "seeds": self.seeds,
            "metric": self.metric,
            "weak_labels": self.weak_labels,
            "entities": self.entities,
            "train_difficulty": self.train_difficulty,
            "test_difficulty": self.test_difficulty,
            "data": self.data.options(config.data),
            "plugins": self.plugin,
        }
        config = replace(config, **{k: v for k, v in given.items() if v is not None})
        return self.finetuning.changed(config, self.weak, self.strong, intermediates, supervisors)


def _parted(paths: tuple[Path, ...], tasks: tuple[str, ...] | None) -> tuple[str, ...]:
    """References of tasks that are split already: one a folder, or one of three files; or of the
    file of a source, which is not."""
    from weak2strong.ground.errors import UserError
    from weak2strong.tasks import SOURCES
    from weak2strong.tasks.parts import NAMES, three_files

    if tasks and len(tasks) == 1 and tasks[0] in SOURCES and not SOURCES.get(tasks[0]).repo:
        source = SOURCES.get(tasks[0])
        if len(paths) > 1:
            raise UserError(f"{source.name} takes one {source.takes}, not {len(paths)}.")
        return (f"{source.name}={paths[0]}",)
    if tasks:
        raise UserError("--task and --data both name tasks: leave one of them out.")
    if len(paths) == 3 and not any(path.is_dir() for path in paths):
        return (",".join(map(str, paths)),)
    for path in paths:
        if not path.is_dir() or three_files(str(path)) is None:
            raise UserError(
                f"--data takes folders with {', '.join(NAMES)}, or three such files, "
                f"and {path} is no such folder."
            )
    return tuple(map(str, paths))
