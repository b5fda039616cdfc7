"""The Python face of the package: a study that runs, and its results.

A thin facade: it may import every layer, and nothing imports it but the
command line and `weak2strong` itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from weak2strong.analysis.finished import FinishedRun
from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import (
    DEFAULT_METHODS,
    DEFAULT_SEEDS,
    DEFAULT_STRONG,
    DEFAULT_TASKS,
    DEFAULT_WEAK,
    Entities,
    Labels,
    PrimaryTest,
    StudyConfig,
)
from weak2strong.config.training import Training
from weak2strong.engine.run import run_study
from weak2strong.experiments.sweep import FinishedSweep, ProbeSweep
from weak2strong.ground.progress import Progress

Results = FinishedRun


class Study:
    """A grid of cells: tasks x methods x seeds for one weak and one strong model.

    Args:
        tasks: names of tasks or groups (`w2s tasks`), your own files, or datasets of the
            hub; or one of these.
        weak: the supervisor: a rung of the ladder, a local folder or a hub id[@revision].
        strong: the student and ceiling model, likewise.
        methods: names of methods (`w2s methods`).
        seeds: how many.
        metric: what PGR is computed on; the usual one of the tasks if None.
        weak_labels: a file of your own labels in place of a supervisor.
        simulated: a simulated supervisor in place of the real one, such as "longest"
            (see docs/experiments.md).
        simulated_accuracy: its accuracy; that of the real supervisor if None.
        labels: students learn the supervisor's probabilities ("soft") or answers ("hard").
        weak_training: settings of the supervisor's finetuning.
        strong_training: settings of students and ceiling.
        entities: ask about what the ladder has read about ("seen") or not ("unseen").
        data: where your own data have what, and how they are made into tasks.
        intermediates: models between the two, for bootstrapping; None takes the rungs between.
        supervisors: further supervisors, for ensembles.
        plugins: Python files that add methods, losses, probes and tasks; or one of these.
        train_difficulty: keep such examples alone for training and validation, for
            instance "below:1200" or "easiest:0.5" (see `weak2strong.tasks.difficulty`).
        test_difficulty: likewise for the test.
        primary_test: by which `w2s compare` will judge methods.

    Example:
        >>> study = Study(tasks=["atlas-asia"], weak="atlas-s", strong="atlas-l", seeds=3)
        >>> results = study.run()  # doctest: +SKIP
        >>> results.table()  # doctest: +SKIP
    """

    def __init__(
        self,
        tasks: Sequence[str] | str = DEFAULT_TASKS,
        weak: str | ModelSpec = DEFAULT_WEAK,
        strong: str | ModelSpec = DEFAULT_STRONG,
        methods: Sequence[str] | str = DEFAULT_METHODS,
        seeds: int = DEFAULT_SEEDS,
        metric: str | None = None,
        weak_labels: str | Path | None = None,
        labels: Labels = "soft",
        weak_training: Training | None = None,
        strong_training: Training | None = None,
        entities: Entities = "seen",
        data: DataOptions | None = None,
        intermediates: Sequence[str | ModelSpec] | None = None,
        supervisors: Sequence[str | ModelSpec] = (),
        plugins: Sequence[str | Path] | str | Path = (),
        train_difficulty: str | None = None,
        test_difficulty: str | None = None,
        primary_test: PrimaryTest = "wilcoxon-one-sided",
        simulated: str | None = None,
        simulated_accuracy: float | None = None,
    ):
        self.config = StudyConfig(
            tasks=(tasks,) if isinstance(tasks, str) else tuple(tasks),
            weak=_model(weak),
            strong=_model(strong),
            methods=(methods,) if isinstance(methods, str) else tuple(methods),
            seeds=seeds,
            metric=metric,
            weak_labels=Path(weak_labels) if weak_labels else None,
            labels=labels,
            weak_training=weak_training or Training(),
            strong_training=strong_training or Training(),
            entities=entities,
            data=data or DataOptions(),
            intermediates=None if intermediates is None else tuple(map(_model, intermediates)),
            supervisors=tuple(map(_model, supervisors)),
            plugins=tuple(map(Path, [plugins] if isinstance(plugins, str | Path) else plugins)),
            train_difficulty=train_difficulty,
            test_difficulty=test_difficulty,
            primary_test=primary_test,
            simulated=simulated,
            simulated_accuracy=simulated_accuracy,
        )

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


def _model(model: str | ModelSpec) -> ModelSpec:
    return ModelSpec.parse(model) if isinstance(model, str) else model
