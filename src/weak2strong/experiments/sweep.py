"""Probes at many layers and settings: from a grid of settings to a table of scores.

The folder holds ``study.yaml``, ``environment.json``, and the scores twice: ``sweep.parquet`` and
``sweep.csv``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from weak2strong.analysis.swept import Swept, summarise_sweep
from weak2strong.analysis.swept_over_tasks import over_tasks_table, swept_over_tasks
from weak2strong.config.fields import Count, Flag, NotNegative, several
from weak2strong.config.settings import settings
from weak2strong.engine.claim import claim
from weak2strong.engine.done import Done
from weak2strong.engine.engines import run_steps
from weak2strong.engine.record import environment_file
from weak2strong.engine.recorded import ENVIRONMENT, STUDY
from weak2strong.engine.run import put_results
from weak2strong.experiments.experiment import (
    Experiment,
    FinishedExperiment,
    Where,
    task_runs_of,
)
from weak2strong.experiments.probed import probe_scores, sweep_steps
from weak2strong.experiments.tables import table_file
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import metric_title
from weak2strong.ground.schema import Columns, columns
from weak2strong.ground.table import Column, Document, Row, Table, counted, words
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.stages import Sweep, has_probe

if TYPE_CHECKING:
    import polars as pl

FILE, CSV = "sweep.parquet", "sweep.csv"

GRIDS = {
    "score": "test, weak labels learned",
    "agreement": "agreement with the weak labels of validation",
    "truth": "test, ground truth learned: what the layer holds",
}
"""The numbers of a place in the grid, and the titles of their tables."""

SETTINGS = {"knn": "k", "logistic": "penalty"}
"""What the setting of a probe is called."""

CHOSEN, ORACLE = "*", "+"

LAYER_ZERO = "Layer 0 is the embeddings; of a file of features, its vectors."

NOTE = f"{LAYER_ZERO} Scores without intervals: close ones may not differ."


class FinishedSweep(FinishedExperiment):
    """The folder of a finished sweep of probes."""

    COMMAND = "probe-sweep"
    FILES: ClassVar[Mapping[str, str]] = {
        FILE: "a row a score",
        CSV: "the same as text",
        "study.yaml": "the study",
        "environment.json": "versions and device",
    }
    COLUMNS: ClassVar[Mapping[str, Columns]] = {
        FILE: columns(
            text="task role learned probe split against metric",
            whole="seed layer",
            number="setting score",
        )
    }
    FIGURES = ("sweep", "sweep-over-tasks")

    @cached_property
    def scores(self) -> pl.DataFrame:
        """One row a score.

        ``role`` is "probe", "floor" or "ceiling" (of those seeds whose ceiling the store had);
        ``learned`` says what a probe learned, "weak" labels of a seed or "truth" (seed
        -1, or that of the split where each seed has its own).
        ``score`` is that of the answers on ``split`` ("validation" or "test") ``against`` ground
        "truth", or against the class that "weak" labels give.
        """
        return self.read_table(FILE)

    def grids(self, metric: str | None = None) -> list[Swept]:
        """Layers by settings, one summary a task and probe; on the study's metric if None."""
        return summarise_sweep(self.scores, metric or self.config.metric or "accuracy")

    @property
    def metric_over_tasks(self) -> str:
        """What probes and weak labels are compared on over tasks: ROC AUC, if the study names no
        metric."""
        usual = "roc_auc" if "roc_auc" in set(self.scores["metric"]) else "accuracy"
        return self.config.metric or usual

    def over_tasks(self) -> list[dict[str, Any]]:
        """Probes minus weak labels and ranks of layers over tasks; nothing for one task."""
        return swept_over_tasks(self.grids(self.metric_over_tasks))

    def table(self, metric: str | None = None) -> pl.DataFrame:
        """A row a task, probe, layer and setting; ``chosen`` is the place of the best agreement."""
        import polars as pl

        rows = [
            {
                "task": grid.task,
                "probe": grid.probe,
                "layer": layer,
                "setting": float(setting),
                **{name: float(getattr(grid, name)[i, j]) for name in GRIDS},
                "chosen": (i, j) == grid.chosen,
                "floor": grid.floor,
                "ceiling": grid.ceiling,
                "metric": grid.metric,
            }
            for grid in self.grids(metric)
            for i, layer in enumerate(grid.layers)
            for j, setting in enumerate(grid.settings)
        ]
        return pl.DataFrame(rows, schema_overrides={"ceiling": pl.Float64})

    @property
    def title(self) -> str:
        """The pair of models."""
        return f"Probes of {self.config.strong.name}, taught by {self.config.weak_name}"

    @property
    def about(self) -> str:
        """How many places of the grid, on which tasks."""
        config, grids = self.config, self.grids()
        places = counted(sum(grid.score.size for grid in grids), "place")
        return (
            f"Probes learned weak labels of {config.weak_name} on layers of the frozen "
            f"{config.strong.name}, at {places} of layer and setting: "
            f"{', '.join(dict.fromkeys(grid.task for grid in grids))}. Scores are "
            f"{metric_title(grids[0].metric)}, mean of {counted(config.seeds, 'seed')}."
        )

    @cached_property
    def document(self) -> Document:
        """Three grids a task and probe."""
        config = self.config
        document = sweep_document(
            self.grids(), config.weak_name, config.strong.name, self.table().to_dicts()
        )
        over = self.over_tasks()
        more = [over_tasks_table(over, self.metric_over_tasks)] if over else []
        return replace(document, tables=[*document.tables, *more])


@settings("a sweep")
class ProbeSweep(Experiment[FinishedSweep]):
    """Score probes of weak labels on layers of the frozen student.

    They have a grid of settings: nearest neighbours and logistic regression, as in EleutherAI 2024:
    scores on test, beside them the agreement with weak labels on validation (to choose by without
    ground truth) and the scores of the same probes trained on ground truth. Methods of a study play
    no part.
    """

    finished = FinishedSweep
    trains = False

    without = ("methods", "intermediates", "supervisors", "primary_test", "saturated")

    layers: Annotated[tuple[int | str, ...], several, Flag(metavar="LAYER ...")] = ("all",)
    """Layers by number (0 is the embeddings, -1 the last), middle, last, or all."""
    ks: Annotated[tuple[Count, ...], several, Flag("k", "K ...")] = (5, 10, 20, 50, 100, 200)
    """Numbers of neighbours; --k alone leaves that probe out."""
    penalties: Annotated[tuple[NotNegative, ...], several, Flag("penalty", "PENALTY ...")] = (
        1e-4,
        1e-3,
        1e-2,
        1e-1,
        1.0,
    )
    """Penalties of logistic regression, likewise."""

    def __post_init__(self) -> None:
        if not self.layers:
            raise UserError("A sweep needs at least one layer: name some, or all.")
        if not self.ks and not self.penalties:
            raise UserError("A sweep needs at least one k or one penalty.")

    def _write(self, where: Where) -> Path:
        from weak2strong.models.layers import layers_of

        config = resolved(self.config)
        task_runs = task_runs_of(config, where)
        for task_run in task_runs.values():
            if not has_probe(task_run.task.kind):
                raise UserError(
                    f"Task {task_run.task.name} is answered in words, and probes choose between "
                    "classes: leave it out."
                )
        layers, sweeps = layers_of(config.strong), dict[str, tuple[Sweep, ...]]()
        for name, task_run in task_runs.items():
            # Splits of their own may differ by a group.
            examples = min(
                len(task_run.of_seed(seed).splits.strong_train) for seed in range(config.seeds)
            )
            sweeps[name], left_out = self.sweeps(layers, examples)
            if left_out:
                where.progress.line(
                    f"left out of {name}: k = {', '.join(map(str, left_out))}, more than its "
                    f"{examples} training examples"
                )
        folder = claim(where.out, config, tuple(task_runs), "probe-sweep", self.finished.FILES)

        def tell(done: Done) -> None:
            for text in done.warnings:
                where.progress.line(f"warning: {text}")
            took = "reused" if done.reused else f"{done.seconds:.1f} s"
            where.progress.line(f"{done.step.name}: {took}")

        steps = sweep_steps(config, sweeps)
        run_steps(steps, task_runs, where.plan_of(config), where.progress, tell)
        table = probe_scores(config, task_runs, sweeps)
        files = {
            STUDY: config.to_yaml().encode(),
            ENVIRONMENT: environment_file(next(iter(task_runs.values())).place),
            **{name: table_file(name, table) for name in (CSV, FILE)},
        }
        put_results(folder, files, "probe-sweep")
        return folder

    def numbers(self, layers: int) -> tuple[int, ...]:
        """Numbers of the layers to sweep, rising, of a model with so many layers."""
        from weak2strong.models.layers import layer_number

        if "all" in self.layers:
            return tuple(range(layers + 1))
        return tuple(sorted({layer_number(layer, layers) for layer in self.layers}))

    def sweeps(self, layers: int, examples: int) -> tuple[tuple[Sweep, ...], tuple[int, ...]]:
        """The sweeps of a model of so many layers, and each k that is more than the examples.

        Raises:
            UserError: where every k is, and there is no penalty.
        """
        numbers = self.numbers(layers)
        ks = sorted({k for k in self.ks if k <= examples})
        sweeps = (
            Sweep("knn", tuple(ks), numbers),
            Sweep("logistic", tuple(sorted(set(self.penalties))), numbers),
        )
        sweeps = tuple(sweep for sweep in sweeps if sweep.settings)
        if not sweeps:
            raise UserError(
                f"There are {examples} training examples, fewer than every k of the sweep: "
                "name a smaller --k."
            )
        return sweeps, tuple(sorted(set(self.ks) - set(ks)))


def sweep_document(
    grids: Sequence[Swept], weak: str, strong: str, places: Sequence[Row] = ()
) -> Document:
    """Three grids a task and probe, the place that one would choose, and what to compare it with.

    Args:
        grids: of a sweep, not empty.
        weak: the supervisor, or the file of weak labels.
        strong: the model whose layers were probed.
        places: the same numbers, a row a place, for JSON.
    """
    head = (
        f"Probes on layers of {strong}, labels of {weak}: {metric_title(grids[0].metric)}, "
        f"mean of {counted(grids[0].seeds, 'seed')}"
    )
    tables = [table for grid in grids for table in _tables(grid)]
    return Document(tables, {"sweep": places}, head=[head], notes=[NOTE])


def _tables(grid: Swept) -> Iterator[Table]:
    """The three grids of one probe on one task, layers by settings, with the two places marked."""
    marks = {grid.chosen: CHOSEN, grid.oracle: ORACLE}
    if grid.chosen == grid.oracle:
        marks = {grid.chosen: CHOSEN + ORACLE}
    width = max(map(len, marks.values()))
    layer = words("layer", f"layer \\ {SETTINGS[grid.probe]}", align="right")

    def text(column: int) -> Callable[[Row], str]:
        return lambda row: (
            f"{row['values'][column]:.3f}{marks.get((row['position'], column), ''):<{width}}"
        )

    settings = [Column("", f"{setting:g}", text(j)) for j, setting in enumerate(grid.settings)]
    for name, title in GRIDS.items():
        yield Table(
            "sweep",
            f"{grid.task}, {grid.probe}: {title}",
            [layer, *settings],
            [
                {"position": i, "layer": number, "values": values}
                for i, (number, values) in enumerate(
                    zip(grid.layers, getattr(grid, name), strict=True)
                )
            ],
            notes=_notes(grid) if name == "truth" else (),
        )


def _notes(grid: Swept) -> list[str]:
    """What would be chosen in the grids of one probe, and what to compare it with."""
    ceiling = "" if grid.ceiling is None else f", ceiling {grid.ceiling:.3f}"
    return [
        f"{CHOSEN} best agreement, the fair choice: {_at(grid, grid.chosen)}.",
        f"{ORACLE} best on test, chosen with its ground truth (oracle): {_at(grid, grid.oracle)}.",
        f"finetuned, on the same test examples: floor {grid.floor:.3f}{ceiling}.",
    ]


def _at(grid: Swept, place: tuple[int, int]) -> str:
    row, column = place
    return (
        f"layer {grid.layers[row]}, {SETTINGS[grid.probe]} {grid.settings[column]:g}: "
        f"{grid.score[place]:.3f} ({grid.truth[place]:.3f} with ground truth)"
    )
