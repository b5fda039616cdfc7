"""What is said of a user's own data before anything is trained: does the student know of them?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from weak2strong.models.gpus import gpus_per_fit
from weak2strong.protocol import stages
from weak2strong.protocol.foreknowledge import Foreknowledge
from weak2strong.protocol.steps import Step
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.files import FileTask


def foreknowledge_of(
    todo: Sequence[Step], task_runs: Mapping[str, TaskRun]
) -> Iterator[Foreknowledge]:
    """What the frozen student knows of each task of the user's own that has steps to be done.

    Nothing of it where a cluster does the steps, or a model is held by several GPUs together: there
    it would take more than seconds, or a machine that this one is not.
    """
    for name in dict.fromkeys(step.task for step in todo):
        task_run = task_runs[name]
        if not isinstance(task_run.task, FileTask) or task_run.places:
            continue
        if gpus_per_fit(replace(task_run.config.strong, adaptation="head")) > 1:
            continue
        import torch

        from weak2strong.models.loaded import best_device

        device = best_device().type
        # Without a mark in what the steps used.
        beside = replace(
            task_run.of_seed(0), used=[], learned=[], known=dict(task_run.known), keeps=""
        )
        found = stages.foreknown(beside, device)
        if device == "cuda":
            # Workers, which are processes of their own as a rule, count on all of the GPU.
            torch.cuda.empty_cache()
        if found:
            yield found
