"""Where the numbers of a page come from: folder, time, device, seeds, versions, audit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import yaml

from weak2strong.analysis.finished import FinishedFolder, FinishedRun
from weak2strong.config.data import OF_TEXTS as OF_DATA
from weak2strong.config.data import DataOptions
from weak2strong.config.model import OF_TEXTS as OF_MODELS
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.engine.rates import HOW, Rates
from weak2strong.ground.predictions import WRITTEN
from weak2strong.ground.rooms import OPTIONS
from weak2strong.ground.table import counted
from weak2strong.models.folders import TINY_BYTES
from weak2strong.models.given import is_given
from weak2strong.models.image_types import is_known
from weak2strong.models.rates import shown_rates
from weak2strong.models.reads import reads_words
from weak2strong.protocol.choice import ROLES, TITLES
from weak2strong.report.audit import audit_text
from weak2strong.report.units import duration, hours, size
from weak2strong.tasks.inputs import SORTS

SMALL_ONES = (
    f"but float32 for files of features and models with less than {size(TINY_BYTES)} of weights"
)
"""Which models do not compute in the precision that suits processors best."""


def provenance(run: FinishedFolder) -> list[tuple[str, str]]:
    """Facts about a run, each a name and a value, in the order of the page."""
    environment = run.environment
    rows = [("folder", str(run.folder))]
    if run.work:
        seconds, stages = sum(w.seconds for w in run.work), sum(w.stages for w in run.work)
        reused = sum(w.reused for w in run.work)
        rows += [
            ("time of all steps, one after another", duration(seconds)),
            ("stages asked for", f"{stages:,}, of which the store had {reused:,}"),
        ]
        if "device" in environment:
            rows.append(("device hours", _device_hours(run)))
    seeds = f"0 to {run.config.seeds - 1}" if run.config.seeds > 1 else "0"
    own = ", each with a split of its own" if run.config.vary == "split" else ""
    rows.append(("seeds", seeds + own))
    if isinstance(run, FinishedRun):
        rows += _trainings(run)
    if isinstance(run, FinishedRun) and not WRITTEN.intersection(run.predictions["kind"]):
        rows.append(("audit of the data", audit_text(run.audit, run.folder, run.by_task)))
    for key, value in environment.items():
        if key == "diff":
            rows.append(("uncommitted changes", "yes, below" if value else "none"))
        elif key == "precision" and (value, environment.get("device")) == ("bfloat16", "cpu"):
            rows.append((key, f"{value}, {SMALL_ONES}"))
        elif value is not None:
            rows.append((key, str(value)))
    return rows


def settings_text(config: StudyConfig, tasks: Sequence[Mapping[str, Any]] = ()) -> str:
    """A study as text, which reads as the same study.

    Where no task has words, settings of texts are left out, unless they are other than usual.

    Args:
        config: the study.
        tasks: what is known of its tasks; without any, what its strong model reads tells.
    """
    text = config.to_yaml()
    if _has_words(config, tasks):
        return text
    study, usual = (
        yaml.safe_load(x) for x in (text, replace(config, data=DataOptions()).to_yaml())
    )
    study["data"] = _without(study["data"], usual["data"], (*OF_DATA, *OPTIONS))
    model = {f.name: f.default for f in fields(ModelSpec)} | {"answers": []}
    for role in ("weak", "strong"):
        study[role] = _without(study[role], model, OF_MODELS)
    for several in ("intermediates", "supervisors"):
        study[several] = study[several] and [_without(x, model, OF_MODELS) for x in study[several]]
    return yaml.safe_dump(study, sort_keys=False)


def _has_words(config: StudyConfig, tasks: Sequence[Mapping[str, Any]]) -> bool:
    """Whether some task has words, or may have."""
    if tasks:
        return any(SORTS[task.get("inputs", "text")].has_words for task in tasks)
    told = is_given(config.strong) or is_known(config.strong)
    return not told or reads_words(config.strong)


def _without(
    given: Mapping[str, Any], usual: Mapping[str, Any], names: Collection[str]
) -> dict[str, Any]:
    """Settings without those of these names that are as usual."""
    return {n: value for n, value in given.items() if n not in names or value != usual[n]}


def _trainings(run: FinishedRun) -> list[tuple[str, str]]:
    """How much the two models learned, their peak learning rates, and how these were chosen."""
    rows = []
    weak = run.config.weak
    if not weak.is_trained and not run.config.given_labels:
        told = f"not trained: the shares of the classes among the {weak.k} nearest of weak_train"
        rows.append(("supervisor", told))
    for role in ROLES:
        of_role = [x for x in run.rates if x.role == role]
        if not of_role or (role == "weak" and run.config.given_labels):
            continue
        training: Training = getattr(run.config, f"{role}_training")
        rates = _rates_of(of_role, getattr(run.config, role).adaptation)
        rows += [
            (f"training of {TITLES[role]}", training.amount),
            (f"learning rates of {TITLES[role]}", rates),
        ]
    return rows


def _rates_of(found: Sequence[Rates], adaptation: str) -> str:
    """The peak learning rates of one model on all tasks, and how they were chosen."""
    by_task = {x.task: shown_rates((x.trunk, x.head), adaptation) for x in found}
    told = list(dict.fromkeys(by_task.values()))
    if len(told) > 1:
        told = [f"{task}: {rates}" for task, rates in by_task.items()]
    first = found[0]
    why = f" ({first.why})" if first.why else ""
    text = f"{HOW.get(first.how, first.how)}{why}: {'; '.join(told)}"
    seconds = [x.seconds for x in found if x.seconds is not None]
    if seconds:
        text += f"; {sum(x.trials for x in found)} short finetunings, {duration(sum(seconds))}"
    return text


def _device_hours(run: FinishedFolder) -> str:
    """The time for which the steps used the device."""
    device, threads = run.environment["device"], run.environment["threads"]
    if device == "cpu":
        device = f"cpu ({counted(threads, 'thread')} a step)"
    text = f"{hours(sum(w.seconds for w in run.work))} on {device}"
    reused = sum(w.reused == w.stages for w in run.work)
    return (
        f"{text}, without {reused} of {len(run.work)} steps that the store had" if reused else text
    )
