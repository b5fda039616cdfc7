"""What the steps of a run are expected to take, for nothing but the order in which they begin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import torch

from weak2strong.engine.costs import (
    finetuning_cost,
    neighbours_cost,
    reading_flops,
    search_cost,
)
from weak2strong.engine.sizes import SAMPLE, TaskSize
from weak2strong.models.guess import guess
from weak2strong.protocol.steps import Step
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.kinds import learnt_item
from weak2strong.tasks.splits import SPLITS


def expected(task_runs: Mapping[str, TaskRun]) -> Callable[[Step], float]:
    """A function that tells what a step takes beside the others of its run.

    It counts operations as a plan does (`weak2strong.engine.estimates`), but takes characters for
    tokens, and a student for one finetuning, so that it neither needs tokenizers nor runs methods.

    Args:
        task_runs: of the run, by the name of the task.
    """
    sizes = cache(lambda task: _size(task_runs[task]))
    models = cache(lambda model: guess(model, torch.device("cpu")))

    @cache
    def operations(kind: str, task: str, method: str | None) -> float:
        config, size = task_runs[task].config, sizes(task)
        weak, strong = models(config.weak), models(config.strong)
        match kind:
            case "ngrams":
                return 0.0
            case "probe" | "sweep":
                return reading_flops(strong, size) or 0.0
            case "rates" if method == "weak":
                cost = search_cost(weak, config.weak_training, None)
            case "rates":
                cost = search_cost(strong, config.strong_training, None)
            case "supervisor" if not config.weak.is_trained:
                cost = neighbours_cost(weak, None)
            case "supervisor":
                cost = finetuning_cost(weak, config.weak_training, "weak_train", None)
            case "ceiling":
                cost = finetuning_cost(strong, config.ceiling_training, "strong_train", None)
            case _:
                cost = finetuning_cost(strong, config.strong_training, "weak labels", None)
        return cost.flops(size) or 0.0

    return lambda step: operations(step.kind, step.task, step.method)


def _size(run: TaskRun) -> TaskSize:
    """The size of a task in characters; seeds with splits of their own have such sizes, too."""
    task, config = run.task, run.config
    examples = {split: len(run.splits.examples(split)) for split in SPLITS}
    items = [learnt_item(task.kind, e) for s in SPLITS for e in run.splits.examples(s)[:SAMPLE]]
    length = sum(len(text) for item in items for text in item.texts) / len(items)
    tokens = {model.name: length for model in (config.weak, config.strong)}
    return TaskSize(task.name, True, examples, tokens, (), len(task.classes), task.kind)
