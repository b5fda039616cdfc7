"""Supervisors that are simulated: where their errors sit is known, one short file a kind.

They are tools of analysis and no methods: they are made of ground truth.
"""

from weak2strong.ground.registry import Registry

SIMULATORS = Registry(
    "simulated supervisor",
    hint="`w2s simulate --help` lists them all.",
    packages=("weak2strong.simulators",),
    first=(
        "random-flips",
        "longest",
        "shortest",
        "least-confident",
        "most-confidently-right",
        "first-features",
        "own-errors",
        "trivial-imitation",
    ),
)

__all__ = ["SIMULATORS"]
