"""A study: supervisor, weak labels, students and ceiling of its tasks, methods and seeds.

The folder is that of a run: it holds the files of `weak2strong.engine.record`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from weak2strong.analysis.finished import FinishedRun
from weak2strong.config.settings import settings
from weak2strong.experiments.cell import ALWAYS, unusual
from weak2strong.experiments.experiment import Experiment, Where
from weak2strong.experiments.sweep import FinishedSweep, ProbeSweep


@settings("a study")
class Study(Experiment[FinishedRun]):
    """A study that runs: tasks x methods x seeds for one weak and one strong model.

    It takes the settings of `weak2strong.config.study.StudyConfig`, as a study file does. A model
    may be its name (a rung of the ladder, a local folder or a hub id[@revision]), and a list of
    one thing the thing itself.

    Example:
        >>> study = Study(tasks=["atlas-asia"], weak="atlas-s", strong="atlas-l", seeds=3)
        >>> results = study.run()  # doctest: +SKIP
        >>> results.table()  # doctest: +SKIP
    """

    finished = FinishedRun

    def __repr__(self) -> str:
        """Tasks, pair, methods and seeds, and what else is not as usual."""
        tasks, methods = list(self.tasks), list(self.methods)
        told = [f"tasks={tasks}", f"weak={self.weak_name!r}", f"strong={self.strong.name!r}"]
        told += [f"methods={methods}", f"seeds={self.seeds}"]
        more = [name for name in unusual(self) if name not in ALWAYS]
        told += [f"other than usual: {', '.join(more)}"] if more else []
        return f"Study({', '.join(told)})"

    def _write(self, where: Where) -> Path:
        return where.run(self.config)

    def probe_sweep(
        self,
        layers: Sequence[int | str] | str = ProbeSweep.layers,
        ks: Sequence[int] = ProbeSweep.ks,
        penalties: Sequence[float] = ProbeSweep.penalties,
        out: str | Path | None = None,
        store: str | Path | None = None,
        quiet: bool = False,
        **engine: Any,
    ) -> FinishedSweep:
        """Score probes on layers of the frozen strong model; the study's methods play no part.

        Args:
            layers: "all", or numbers (0 is the embeddings, -1 the last), "middle", "last".
            ks: numbers of nearest neighbours; none leaves that probe out.
            penalties: of logistic regression, likewise.
            out: the folder; a new one below ``runs`` if None.
            store: root of the store; the user's own if None.
            quiet: show no progress.
            **engine: how it is run: see `weak2strong.config.engine.EngineOptions`.
        """
        sweep = ProbeSweep.of(self, layers=layers, ks=ks, penalties=penalties)
        return sweep.run(out, store, quiet, **engine)
