"""The Python face of the package: a study that runs, and its results."""

from weak2strong.analysis.finished import FinishedRun
from weak2strong.experiments.study import Study

__all__ = ["Results", "Study"]

Results = FinishedRun
