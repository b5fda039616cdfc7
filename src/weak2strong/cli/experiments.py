"""`w2s simulate`, `w2s overfitting` and `w2s grid`: experiments of several studies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Suppress, arg

from weak2strong.cli.asked import Model, Names, Place
from weak2strong.cli.run import Run

if TYPE_CHECKING:
    from weak2strong.config.study import StudyConfig

Count = Annotated[int, arg(metavar="N", help_behavior_hint="")]


@dataclass(frozen=True)
class Simulate(Run):
    """Put simulated supervisors in place of the real one: as accurate, with other errors.

    Their labels are made of ground truth, on all splits: a tool to see what the structure of
    errors does, and no method. Takes the flags of w2s run.
    """

    kinds: Names = None
    """Which simulated supervisors, or all (default): random-flips, longest, shortest,
    least-confident, most-confidently-right, first-features, own-errors, trivial-imitation."""
    accuracy: Annotated[float | None, arg(metavar="SHARE", help_behavior_hint="")] = None
    """Their accuracy on every split (default: that of the real supervisor there)."""
    weak_labels: Suppress[Place] = None
    dry_run: Suppress[bool] = False

    def __call__(self) -> None:
        """Run a study a supervisor, the real one first, then print a table and write it."""
        from weak2strong.analysis.simulated import FILE, REAL, supervised_rows
        from weak2strong.api import Results
        from weak2strong.experiments.several import run_several
        from weak2strong.ground.progress import Progress
        from weak2strong.report.simulated import print_simulated
        from weak2strong.report.table import table_console
        from weak2strong.simulators import SIMULATORS

        config = self.config()
        _refuse_file(config)
        named = self.kinds or ("all",)
        kinds = tuple(SIMULATORS) if "all" in named else tuple(dict.fromkeys(named))
        studies = {REAL: replace(config, simulated=None, simulated_accuracy=None)}
        for kind in kinds:
            studies[kind] = replace(config, simulated=kind, simulated_accuracy=self.accuracy)
        with Progress(quiet=self.quiet) as progress:
            folders = run_several("simulate", studies, self.out, self.store, progress)
        runs = map(Results, folders.values())
        rows = [row for r in runs for row in supervised_rows(r.config, r.predictions, r.lines())]
        summaries = {kind: SIMULATORS.get(kind).summary for kind in kinds}
        print_simulated(rows, summaries, table_console())
        _write(folders[REAL].parent / FILE, rows, "a row a supervisor and method")


@dataclass(frozen=True)
class Overfitting(Run):
    """Follow students through training: score and imitation at every evaluation.

    They are trained to the last step, and what the test says on the way is noted and decides
    nothing. Takes the flags of w2s run; methods are those that finetune once (default: naive).
    """

    evaluations: Count = 20
    """How often to look at a student, evenly spaced (default: 20)."""
    dry_run: Suppress[bool] = False

    def __call__(self) -> None:
        """Train, then print what was reached at three points, and where the curves are."""
        from weak2strong.analysis.overfitting import reached, read_overfitting
        from weak2strong.experiments.overfitting import run_overfitting
        from weak2strong.ground.progress import Progress
        from weak2strong.report.overfitting import print_overfitting
        from weak2strong.report.table import table_console

        config = self.config()
        if self.methods is None and self.study is None:
            config = replace(config, methods=("naive",))
        with Progress(quiet=self.quiet) as progress:
            folder = run_overfitting(config, self.evaluations, self.out, self.store, progress)
        config, curves, points = read_overfitting(folder)
        print_overfitting(config, reached(config, curves, points), table_console())
        print(f"\nWritten to\n  {folder / 'curves.parquet'}  a row an evaluation")
        print(f"  {folder / 'points.parquet'}  test answers at the three points, by id")


@dataclass(frozen=True)
class Grid(Run):
    """Run every weaker model of a ladder with every stronger one.

    They share supervisors and ceilings. Takes the flags of w2s run.
    """

    models: Annotated[tuple[str, ...], arg(metavar="MODEL ...", help_behavior_hint="")] = (
        "atlas-xs",
        "atlas-s",
        "atlas-m",
        "atlas-l",
    )
    """Two models or more, in any order (default: the embedded ladder)."""
    weak: Suppress[Model] = None
    strong: Suppress[Model] = None
    weak_labels: Suppress[Place] = None
    dry_run: Suppress[bool] = False

    def __call__(self) -> None:
        """Run a study a pair, then print triangles and write their rows."""
        from weak2strong.analysis.grid import FILE, grid_rows
        from weak2strong.api import Results
        from weak2strong.config.model import ModelSpec
        from weak2strong.experiments.several import run_several
        from weak2strong.ground.progress import Progress
        from weak2strong.report.grid import print_grid
        from weak2strong.report.table import table_console

        config = self.config()
        _refuse_file(config)
        models = _by_size(self.models)
        studies = {}
        for weak, strong in combinations(models, 2):
            pair = f"{Path(weak).name}-to-{Path(strong).name}"
            studies[pair] = self.finetuning.changed(config, weak, strong)
        with Progress(quiet=self.quiet) as progress:
            folders = run_several("grid", studies, self.out, self.store, progress)
        lines = [line for folder in folders.values() for line in Results(folder).lines()]
        parameters = {ModelSpec.parse(model).name: count for model, count in models.items()}
        rows = list(grid_rows(lines, parameters))
        print_grid(rows, table_console())
        _write(next(iter(folders.values())).parent / FILE, rows, "a row a pair")


def _by_size(models: Sequence[str]) -> dict[str, int]:
    """Parameters of the trunks, the smallest first.

    Raises:
        UserError: for fewer than two models, or two of one size or of one name.
    """
    from weak2strong.config.model import ModelSpec
    from weak2strong.ground.errors import UserError
    from weak2strong.models.needs import count, skeleton
    from weak2strong.models.resolve import fingerprint

    found = {}
    for name in dict.fromkeys(models):
        spec = ModelSpec.parse(name)
        fingerprint(spec)
        found[name] = count(skeleton(spec))
    if len(found) < 2:
        raise UserError("A grid needs at least two models: name them with --models.")
    if len(set(found.values())) < len(found):
        raise UserError("Two of the models have the same number of parameters: leave one out.")
    if len({Path(name).name for name in found}) < len(found):
        raise UserError("Two of the models have the same name, as folders go: rename one.")
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def _refuse_file(config: StudyConfig) -> None:
    """Raise where a study brings its own weak labels."""
    from weak2strong.ground.errors import UserError

    if config.weak_labels:
        raise UserError("This takes a supervisor, and the study has a file of weak labels.")


def _write(path: Path, rows: Sequence[dict[str, Any]], what: str) -> None:
    import polars as pl

    pl.DataFrame(rows, infer_schema_length=None).write_parquet(path)
    print(f"\nWritten to\n  {path}  {what}, and the runs beside it")
