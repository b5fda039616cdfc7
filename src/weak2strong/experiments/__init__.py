"""Experiments: several studies side by side, or one study from another point of view.

A file each: what the experiment runs, which tables it makes, and where these are kept.
"""

from weak2strong.ground.registry import Registry

EXPERIMENTS = Registry(
    "experiment",
    {
        "grid": "weak2strong.experiments.grid:Grid",
        "simulate": "weak2strong.experiments.simulate:Simulate",
        "overfitting": "weak2strong.experiments.overfitting:Overfitting",
        "regularise": "weak2strong.experiments.regularise:Regularise",
        "probe-sweep": "weak2strong.experiments.sweep:ProbeSweep",
        "trusted": "weak2strong.experiments.trusted:Trusted",
        "overlap": "weak2strong.experiments.overlap:Overlap",
        "explain": "weak2strong.experiments.explain:Explain",
        "shift": "weak2strong.experiments.shift:Shift",
    },
)
"""By the command. Command line, report and figures find an experiment here."""
