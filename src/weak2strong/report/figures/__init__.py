"""The figures of a report: one short file a figure, listed by name in the order of the page."""

from weak2strong.ground.registry import Registry

FIGURES = Registry(
    "figure",
    {
        "scores": "weak2strong.report.figures.scores:SCORES",
        "pgr": "weak2strong.report.figures.pgr:PGR",
        "tasks": "weak2strong.report.figures.tasks:TASKS",
        "outcomes": "weak2strong.report.figures.outcomes:OUTCOMES",
        "agreement": "weak2strong.report.figures.agreement:AGREEMENT",
        "reliability": "weak2strong.report.figures.reliability:RELIABILITY",
        "difficulty": "weak2strong.report.figures.difficulty:DIFFICULTY",
        "saliency": "weak2strong.report.figures.saliency:SALIENCY",
    },
)
