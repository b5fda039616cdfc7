"""weak2strong: weak-to-strong generalization experiments, run correctly, on any model.

The names below are imported when they are first used, so that importing the
package costs nothing.
"""

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if not {"GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_WAIT_POLICY"} & os.environ.keys():
    # Threads of PyTorch wait for each other in a loop that takes a processor. Beside other
    # processes they take it from those that they wait for, so they give up soon, by the variables
    # of GNU's OpenMP (turns of the loop) and of LLVM's and Intel's (milliseconds). PyTorch reads
    # them when it is loaded; worker processes inherit them (docs/performance.md: Busy machines).
    os.environ |= {"GOMP_SPINCOUNT": "2000", "KMP_BLOCKTIME": "1"}

if "ipykernel" in sys.modules:
    from weak2strong.ground.notebook import leave_out_the_advice_of_bars

    leave_out_the_advice_of_bars()

_NAMES = {
    "Answering": "weak2strong.probes.probe",
    "Context": "weak2strong.methods.method",
    "DataOptions": "weak2strong.config.data",
    "Example": "weak2strong.tasks.task",
    "Item": "weak2strong.tasks.task",
    "METHODS": "weak2strong.methods",
    "ModelSpec": "weak2strong.config.model",
    "Predictions": "weak2strong.ground.predictions",
    "Grid": "weak2strong.experiments.grid",
    "Overfitting": "weak2strong.experiments.overfitting",
    "Overlap": "weak2strong.experiments.overlap",
    "Explain": "weak2strong.experiments.explain",
    "Shift": "weak2strong.experiments.shift",
    "Trusted": "weak2strong.experiments.trusted",
    "ProbeSweep": "weak2strong.experiments.sweep",
    "Regularise": "weak2strong.experiments.regularise",
    "Simulate": "weak2strong.experiments.simulate",
    "Results": "weak2strong.analysis.finished",
    "RowLoss": "weak2strong.training.loss",
    "Study": "weak2strong.experiments.study",
    "TASKS": "weak2strong.tasks",
    "Training": "weak2strong.config.training",
    "UserError": "weak2strong.ground.errors",
    "group": "weak2strong.tasks.decorators",
    "joined": "weak2strong.ground.predictions",
    "keeping": "weak2strong.methods.labels",
    "labels_of": "weak2strong.methods.labels",
    "load": "weak2strong.report.folders",
    "loss": "weak2strong.methods.decorators",
    "method": "weak2strong.methods.decorators",
    "metric": "weak2strong.ground.own_metrics",
    "performance_gap_recovered": "weak2strong.ground.metrics",
    "picture": "weak2strong.tasks.decorators",
    "probe": "weak2strong.probes.decorators",
    "recovered": "weak2strong.analysis",
    "scorer": "weak2strong.ground.own_metrics",
    "source": "weak2strong.tasks.decorators",
    "task": "weak2strong.tasks.decorators",
    "tracker": "weak2strong.engine.tracking.tracker",
}

__all__ = [
    "METHODS",
    "TASKS",
    "Answering",
    "Context",
    "DataOptions",
    "Example",
    "Explain",
    "Grid",
    "Item",
    "ModelSpec",
    "Overfitting",
    "Overlap",
    "Predictions",
    "ProbeSweep",
    "Regularise",
    "Results",
    "RowLoss",
    "Shift",
    "Simulate",
    "Study",
    "Training",
    "Trusted",
    "UserError",
    "__version__",
    "group",
    "joined",
    "keeping",
    "labels_of",
    "load",
    "loss",
    "method",
    "metric",
    "performance_gap_recovered",
    "picture",
    "probe",
    "recovered",
    "scorer",
    "source",
    "task",
    "tracker",
]

if TYPE_CHECKING:
    from weak2strong.analysis import recovered
    from weak2strong.analysis.finished import Results
    from weak2strong.config.data import DataOptions
    from weak2strong.config.model import ModelSpec
    from weak2strong.config.training import Training
    from weak2strong.engine.tracking.tracker import tracker
    from weak2strong.experiments.explain import Explain
    from weak2strong.experiments.grid import Grid
    from weak2strong.experiments.overfitting import Overfitting
    from weak2strong.experiments.overlap import Overlap
    from weak2strong.experiments.regularise import Regularise
    from weak2strong.experiments.shift import Shift
    from weak2strong.experiments.simulate import Simulate
    from weak2strong.experiments.study import Study
    from weak2strong.experiments.sweep import ProbeSweep
    from weak2strong.experiments.trusted import Trusted
    from weak2strong.ground.errors import UserError
    from weak2strong.ground.metrics import performance_gap_recovered
    from weak2strong.ground.own_metrics import metric, scorer
    from weak2strong.ground.predictions import Predictions, joined
    from weak2strong.methods import METHODS
    from weak2strong.methods.decorators import loss, method
    from weak2strong.methods.labels import keeping, labels_of
    from weak2strong.methods.method import Context
    from weak2strong.probes.decorators import probe
    from weak2strong.probes.probe import Answering
    from weak2strong.report.folders import load
    from weak2strong.tasks import TASKS
    from weak2strong.tasks.decorators import group, picture, source, task
    from weak2strong.tasks.task import Example, Item
    from weak2strong.training.loss import RowLoss


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(import_module(_NAMES[name]), name)
    if name[:1].isupper():
        # Classes of options that a subject brings, such as those of a source of tasks.
        from weak2strong.ground.rooms import OPTIONS

        for kind in map(OPTIONS.get, OPTIONS):
            if kind.__name__ == name:
                return kind
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
