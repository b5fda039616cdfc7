"""Trackers: services and tools that follow a run, where the user asks for one by ``--track``.

Each is a file here, or a class of a plugin. Nothing is sent anywhere unless it was asked for, and a
tracker that fails is left out while the run goes on.
"""

from __future__ import annotations

from weak2strong.ground.registry import Registry

TRACKERS = Registry(
    "tracker",
    {
        "tensorboard": "weak2strong.engine.tracking.tensorboard:TensorBoard",
        "trackio": "weak2strong.engine.tracking.trackio:Trackio",
        "wandb": "weak2strong.engine.tracking.wandb:WandB",
        "mlflow": "weak2strong.engine.tracking.mlflow:MLflow",
    },
)
"""Trackers by name, of our own and of plugins."""
