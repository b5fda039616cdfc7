"""Names of figures, for editors that complete them; the registries are in the report, above."""

from typing import Literal

FigureName = Literal[
    "scores",
    "pgr",
    "pgr-by-task",
    "tasks",
    "values",
    "filters",
    "outcomes",
    "agreement",
    "reliability",
    "difficulty",
    "saliency",
    "consistency",
    "curves",
    "sizes",
    "agreement-by-size",
    "error-structure",
    "dose-response",
    "overfitting",
    "regularised",
    "sweep",
    "sweep-over-tasks",
    "trusted",
    "explained-pgr",
    "explained-gain",
    "shift",
]
"""The figures of a run, and those of experiments."""
