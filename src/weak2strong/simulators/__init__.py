"""Supervisors that are simulated: where their errors sit is known, one short file a kind.

They are tools of analysis and no methods: they are made of ground truth.
"""

from weak2strong.ground.registry import Registry

SIMULATORS = Registry(
    "simulated supervisor",
    {
        "random-flips": "weak2strong.simulators.random_flips:RANDOM_FLIPS",
        "longest": "weak2strong.simulators.length:LONGEST",
        "shortest": "weak2strong.simulators.length:SHORTEST",
        "least-confident": "weak2strong.simulators.confidence:LEAST_CONFIDENT",
        "most-confidently-right": "weak2strong.simulators.confidence:MOST_CONFIDENTLY_RIGHT",
        "first-features": "weak2strong.simulators.first_features:FIRST_FEATURES",
        "own-errors": "weak2strong.simulators.own_errors:OWN_ERRORS",
        "trivial-imitation": "weak2strong.simulators.own_errors:TRIVIAL_IMITATION",
    },
    hint="`w2s simulate --help` lists them all.",
)

__all__ = ["SIMULATORS"]
