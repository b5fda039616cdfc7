"""weak2strong: weak-to-strong generalization experiments, run correctly, on any model.

The names below are imported when they are first used, so that importing the
package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_NAMES = {
    "DataOptions": "weak2strong.tasks.files",
    "METHODS": "weak2strong.methods",
    "ModelSpec": "weak2strong.models.spec",
    "Predictions": "weak2strong.predictions",
    "Results": "weak2strong.api",
    "Study": "weak2strong.api",
    "TASKS": "weak2strong.tasks",
    "Training": "weak2strong.training.settings",
    "UserError": "weak2strong.errors",
    "performance_gap_recovered": "weak2strong.metrics",
    "recovered": "weak2strong.analysis",
}

__all__ = [
    "METHODS",
    "TASKS",
    "DataOptions",
    "ModelSpec",
    "Predictions",
    "Results",
    "Study",
    "Training",
    "UserError",
    "__version__",
    "performance_gap_recovered",
    "recovered",
]

if TYPE_CHECKING:
    from weak2strong.analysis import recovered
    from weak2strong.api import Results, Study
    from weak2strong.errors import UserError
    from weak2strong.methods import METHODS
    from weak2strong.metrics import performance_gap_recovered
    from weak2strong.models.spec import ModelSpec
    from weak2strong.predictions import Predictions
    from weak2strong.tasks import TASKS
    from weak2strong.tasks.files import DataOptions
    from weak2strong.training.settings import Training


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_NAMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
