"""The Python face of the package: a study that runs, and its results.

A thin facade: it may import every layer, and nothing imports it but the
command line and `weak2strong` itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from weak2strong.analysis.finished import FinishedRun
from weak2strong.config.settings import settings
from weak2strong.config.study import StudyConfig
from weak2strong.engine.run import run_study
from weak2strong.experiments.sweep import FinishedSweep, ProbeSweep
from weak2strong.ground.progress import Progress

Results = FinishedRun


@settings("a study")
class Study(StudyConfig):
    """A study that runs: tasks x methods x seeds for one weak and one strong model.

    It takes the settings of `weak2strong.config.study.StudyConfig`, as a study file does. A model
    may be its name (a rung of the ladder, a local folder or a hub id[@revision]), and a list of
    one thing the thing itself.

    Example:
        >>> study = Study(tasks=["atlas-asia"], weak="atlas-s", strong="atlas-l", seeds=3)
        >>> results = study.run()  # doctest: +SKIP
        >>> results.table()  # doctest: +SKIP
    """

    @property
    def config(self) -> StudyConfig:
        """The settings alone."""
        return StudyConfig(**{f.name: getattr(self, f.name) for f in fields(self)})

    def run(
        self, out: str | Path | None = None, store: str | Path | None = None, quiet: bool = False
    ) -> Results:
        """Run whatever the store does not have yet, and return the results.

        Args:
            out: the run folder; a new one below ``runs`` if None.
            store: root of the store; the user's own if None.
            quiet: show no progress.

        Raises:
            UserError: for bad input, before anything is trained.
        """
        with Progress(quiet=quiet) as progress:
            folder = run_study(
                self.config,
                Path(out) if out else None,
                Path(store) if store else None,
                progress,
            )
        return Results(folder)

    def probe_sweep(
        self,
        layers: Sequence[int | str] | str = "all",
        ks: Sequence[int] = ProbeSweep.ks,
        penalties: Sequence[float] = ProbeSweep.penalties,
        out: str | Path | None = None,
        store: str | Path | None = None,
        quiet: bool = False,
    ) -> FinishedSweep:
        """Score probes on layers of the frozen strong model; the study's methods play no part.

        Args:
            layers: "all", or numbers (0 is the embeddings, -1 the last), "middle", "last".
            ks: numbers of nearest neighbours; none leaves that probe out.
            penalties: of logistic regression, likewise.
            out: the folder; a new one below ``runs`` if None.
            store: root of the store; the user's own if None.
            quiet: show no progress.

        Raises:
            UserError: for bad input, before anything is trained.
        """
        layers = (layers,) if isinstance(layers, str) else tuple(layers)
        sweep = ProbeSweep.of(self.config, layers=layers, ks=tuple(ks), penalties=tuple(penalties))
        return sweep.run(out, store, quiet)
