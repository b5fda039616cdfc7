"""What is asked: tasks, their examples, and how these are split."""

from weak2strong.registry import Registry

_ATLAS = "weak2strong.tasks.atlas.attributes"

TASKS = Registry(
    "task",
    {
        "atlas-asia": f"{_ATLAS}:ASIA",
        "atlas-europe": f"{_ATLAS}:EUROPE",
        "atlas-southern": f"{_ATLAS}:SOUTHERN",
    },
    hint="`w2s tasks` lists them all.",
)
