"""The figures of a report: one short file a figure, listed by name in the order of a page."""

from weak2strong.ground.registry import Registry

FIGURES = Registry(
    "figure",
    {
        "scores": "weak2strong.report.figures.scores:SCORES",
        "pgr": "weak2strong.report.figures.pgr:PGR",
        "pgr-by-task": "weak2strong.report.figures.pgr_by_task:PGR_BY_TASK",
        "tasks": "weak2strong.report.figures.tasks:TASKS",
        "values": "weak2strong.report.figures.values:VALUES",
        "filters": "weak2strong.report.figures.filters:FILTERS",
        "outcomes": "weak2strong.report.figures.outcomes:OUTCOMES",
        "agreement": "weak2strong.report.figures.agreement:AGREEMENT",
        "reliability": "weak2strong.report.figures.reliability:RELIABILITY",
        "difficulty": "weak2strong.report.figures.difficulty:DIFFICULTY",
        "saliency": "weak2strong.report.figures.saliency:SALIENCY",
        "consistency": "weak2strong.report.figures.consistency:CONSISTENCY",
        "curves": "weak2strong.report.figures.curves:CURVES",
    },
)
"""Figures of one run."""

COMPARING_FIGURES = Registry(
    "figure of several runs",
    {
        "settings": "weak2strong.report.figures.settings:SETTINGS",
        "sizes": "weak2strong.report.figures.sizes:SIZES",
        "agreement-by-size": "weak2strong.report.figures.agreement_by_size:AGREEMENT_BY_SIZE",
    },
)
"""Figures of several runs side by side."""

EXPERIMENT_FIGURES = Registry(
    "figure of an experiment",
    {
        "sizes": "weak2strong.report.figures.sizes:GRID_SIZES",
        "agreement-by-size": "weak2strong.report.figures.agreement_by_size:GRID_AGREEMENT",
        "error-structure": "weak2strong.report.figures.error_structure:ERROR_STRUCTURE",
        "dose-response": "weak2strong.report.figures.dose_response:DOSE_RESPONSE",
        "overfitting": "weak2strong.report.figures.overfitting:OVERFITTING",
        "regularised": "weak2strong.report.figures.regularised:REGULARISED",
        "sweep": "weak2strong.report.figures.sweep:SWEEP",
        "sweep-over-tasks": "weak2strong.report.figures.sweep_over_tasks:SWEEP_OVER_TASKS",
        "trusted": "weak2strong.report.figures.trusted:TRUSTED",
        "explained-pgr": "weak2strong.report.figures.explained:EXPLAINED_PGR",
        "explained-gain": "weak2strong.report.figures.explained:EXPLAINED_GAIN",
        "shift": "weak2strong.report.figures.shift:SHIFT",
    },
)
"""Figures that an experiment names as its own."""
