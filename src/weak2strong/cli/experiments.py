"""`w2s grid`, `simulate`, `overfitting`, `probe-sweep` and `overlap`: parse, call, print."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from tyro.conf import Positional, Suppress, arg

from weak2strong.cli.printing import Printing
from weak2strong.cli.run import Run
from weak2strong.cli.study import Names, Place, StudyCommand

if TYPE_CHECKING:
    from weak2strong.experiments.experiment import Runnable

Count = Annotated[int, arg(metavar="N", help_behavior_hint="")]
Layers = Annotated[tuple[str, ...] | None, arg(metavar="LAYER ...", help_behavior_hint="")]
Whole = Annotated[tuple[int, ...] | None, arg(metavar="K ...", help_behavior_hint="")]
Numbers = Annotated[tuple[float, ...] | None, arg(metavar="PENALTY ...", help_behavior_hint="")]


@dataclass(frozen=True)
class Grid(Run):
    """Run every weaker model of a ladder with every stronger one.

    They share supervisors and ceilings. Takes the flags of w2s run.
    """

    command: ClassVar[str] = "grid"

    models: Annotated[tuple[str, ...], arg(metavar="MODEL ...", help_behavior_hint="")] = (
        "atlas-xs",
        "atlas-s",
        "atlas-m",
        "atlas-l",
    )
    """Two models or more, in any order (default: the embedded ladder)."""
    weak: Suppress[str | None] = None
    strong: Suppress[str | None] = None
    weak_labels: Suppress[Place] = None
    dry_run: Suppress[bool] = False

    def __call__(self) -> None:
        """Run a study a pair, then print triangles."""
        from weak2strong.experiments.grid import Grid as Experiment

        study = self.config(weak=self.models[0], strong=self.models[-1])
        finish(self, Experiment.of(study, models=self.models))


@dataclass(frozen=True)
class Simulate(Run):
    """Put simulated supervisors in place of the real one: as accurate, with other errors.

    Their labels are made of ground truth, on all splits: a tool to see what the structure of
    errors does, and no method. Takes the flags of w2s run.
    """

    command: ClassVar[str] = "simulate"

    kinds: Names = None
    """Which simulated supervisors, or all (default): random-flips, longest, shortest,
    least-confident, most-confidently-right, first-features, own-errors, trivial-imitation."""
    accuracy: Annotated[float | None, arg(metavar="SHARE", help_behavior_hint="")] = None
    """Their accuracy on every split (default: that of the real supervisor there)."""
    weak_labels: Suppress[Place] = None
    dry_run: Suppress[bool] = False

    def __call__(self) -> None:
        """Run a study a supervisor, the real one first, then print a table."""
        from weak2strong.experiments.simulate import Simulate as Experiment

        own = given(kinds=self.kinds, accuracy=self.accuracy)
        finish(self, Experiment.of(self.config(), **own))


@dataclass(frozen=True)
class Overfitting(Run):
    """Follow students through training: score and imitation at every evaluation.

    They are trained to the last step, and what the test says on the way is noted and decides
    nothing. Takes the flags of w2s run; methods are those that finetune once (default: naive).
    """

    command: ClassVar[str] = "overfitting"

    evaluations: Count = 20
    """How often to evaluate a student, evenly spaced (default: 20)."""
    dry_run: Suppress[bool] = False

    def __call__(self) -> None:
        """Train, then print what was reached at three points."""
        from weak2strong.experiments.overfitting import Overfitting as Experiment

        own: dict[str, Any] = {"evaluations": self.evaluations}
        if self.methods is None and self.study is None:
            own["methods"] = Experiment.methods
        finish(self, Experiment.of(self.config(), **own))


@dataclass(frozen=True)
class ProbeSweep(Printing, StudyCommand):
    """Score probes of the weak labels on layers of the frozen student, for a grid of settings.

    Nearest neighbours and logistic regression, as in EleutherAI 2024: scores on test, beside
    them the agreement with weak labels on validation (to choose by without ground
    truth) and the scores of the same probes trained on ground truth. Methods of a study
    play no part.
    """

    command: ClassVar[str] = "probe-sweep"

    layers: Layers = None
    """Layers by number (0 is the embeddings, -1 the last), middle, last, or all (default)."""
    k: Whole = None
    """Numbers of neighbours (default: 5 10 20 50 100 200); --k alone leaves that probe out."""
    penalty: Numbers = None
    """Penalties of logistic regression (default: 0.0001 0.001 0.01 0.1 1), likewise."""

    def __call__(self) -> None:
        """Sweep, then print the grids."""
        from weak2strong.experiments.sweep import ProbeSweep as Experiment

        own = given(layers=self.layers, ks=self.k, penalties=self.penalty)
        finish(self, Experiment.of(self.config(), **own))


@dataclass(frozen=True)
class Overlap(Printing):
    """Estimate overlap density and expansion of a finished run, beside what its students gained.

    Overlap density is that of Shin et al. 2024, expansion that of Lang et al. 2024; both are seen
    in activations of the frozen student, on the examples that students learned from. What the store
    lacks of the run is made again.
    """

    command: ClassVar[str] = "overlap"

    folder: Positional[Path] = Path("runs/latest")
    """The run folder."""
    layer: Annotated[str, arg(metavar="LAYER", help_behavior_hint="")] = "usual"
    """Of the activations: middle, last, a number (0 is the embeddings, -1 the last), or usual, the
    middle of a deep model and the last of one below 8 layers (default)."""
    k: Annotated[int, arg(metavar="N", help_behavior_hint="")] = 5
    """Neighbours of an example (default: 5)."""
    out: Place = None
    """A folder for the tables, in place of the run folder."""
    store: Place = None
    """Where stages are kept; ~/.cache/weak2strong by default, or $W2S_STORE."""
    quiet: Annotated[bool, arg(help_behavior_hint="")] = False
    """Show no progress."""

    def __call__(self) -> None:
        """Estimate, and print."""
        from weak2strong.experiments.overlap import Overlap as Experiment

        finish(self, Experiment(self.folder, self.layer, self.k))


def given(**flags: Any) -> dict[str, Any]:
    """The flags that the user gave."""
    return {name: value for name, value in flags.items() if value is not None}


def finish(command: Any, experiment: Runnable) -> None:
    """Run an experiment, then print its tables and the paths of what was written."""
    finished = experiment.run(command.out, command.store, command.quiet)
    command.show(finished.document)
    written = (f"  {finished.folder / name}  {what}" for name, what in finished.FILES.items())
    command.tell("\nWritten to", *written)
