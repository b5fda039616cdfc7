"""Trained models that a run keeps: which steps keep them, what they take, and their folders.

``models/TASK/ROLE-seed-N`` below the run folder has the weights, which are hard links to the store
where the file system can, the tokenizer, a model card, and ``weak2strong.json``.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.engine.card import Scores, card
from weak2strong.engine.recorded import open_run, read_results
from weak2strong.ground.disks import writing
from weak2strong.ground.errors import UserError
from weak2strong.ground.predictions import WRITTEN
from weak2strong.ground.whole import sync_folder, write_whole
from weak2strong.methods.reference import is_oracle
from weak2strong.models.beneath import adapters_of, beneath
from weak2strong.models.folders import ADAPTER_CONFIG, KEPT_ABOUT, folder_of, location_of, shipped
from weak2strong.models.given import is_given
from weak2strong.models.image_types import is_weights_file
from weak2strong.models.reads import reads_words
from weak2strong.models.resolve import fingerprint
from weak2strong.protocol import stages
from weak2strong.protocol.steps import Step
from weak2strong.protocol.task_run import TaskRun

ROLES = ("student", "ceiling", "supervisor")
ALL = "all"

FOLDER = "models"
"""Of all kept models of a run."""

ABOUT, CONFIG, CARD = KEPT_ABOUT, "config.json", "README.md"
"""Files of a kept model that are the run's own; others are links to the store."""


@dataclass(frozen=True)
class Cell:
    """Whose model it is.

    Attributes:
        task: its name.
        role: of `ROLES`.
        seed: of the cell.
        method: of a student; of a ceiling the step by which it reads texts first.
    """

    task: str
    role: str
    seed: int
    method: str | None

    @property
    def folder(self) -> Path:
        """Where it is below the run folder."""
        method = f"-{quote(self.method, safe='+=,')}" if self.method else ""
        return Path(FOLDER, self.task, f"{self.role}{method}-seed-{self.seed}")


def roles_of(words: Sequence[str]) -> tuple[str, ...]:
    """The roles that a user names.

    Raises:
        UserError: for a word that is none.
    """
    for word in words:
        if word not in (*ROLES, ALL):
            raise UserError(
                f"--keep-models takes {', '.join(ROLES)}, or {ALL}, and not {word!r}: name whose "
                "models are to be kept."
            )
    return ROLES if ALL in words else tuple(role for role in ROLES if role in words)


def check_kept(config: StudyConfig, task_runs: Mapping[str, TaskRun], roles: Sequence[str]) -> None:
    """Refuse models that cannot be kept, before anything is trained.

    Raises:
        UserError: where there is no supervisor to keep, or models answer in words, or are a part
            of another model.
    """
    if not roles:
        return
    for name, task_run in task_runs.items():
        if task_run.task.kind in WRITTEN:
            raise UserError(
                f"Task {name} is answered in words, and models of such tasks cannot be kept: leave "
                "--keep-models out, or choose a task with classes or preferences."
            )
    if "supervisor" in roles and (config.given_labels or config.simulated):
        raise UserError(
            f"The weak labels come from {config.weak_name}, and no supervisor is trained for them: "
            "leave supervisor out of --keep-models."
        )
    if "supervisor" in roles and not config.weak.is_trained:
        raise UserError(
            "A supervisor of neighbours (--weak-adaptation knn) is no model that was trained: "
            "leave supervisor out of --keep-models."
        )
    if any(map(is_given, (config.weak, config.strong))):
        raise UserError(
            "A head on features is no model that could be kept: leave --keep-models out; the run "
            "keeps all answers."
        )
    for role in roles:
        _check_model(config.weak if role == "supervisor" else config.strong, role)


def _check_model(model: ModelSpec, role: str) -> None:
    """Refuse a model whose trained form cannot be written.

    Raises:
        UserError: for a single file of weights that is trained whole, and for a part of a model.
    """
    from weak2strong.models.configuration import load_config
    from weak2strong.models.resolve import holds_of, resolve_model
    from weak2strong.models.text_part import text_config

    if is_weights_file(model):
        if holds_of(resolve_model(model)) == "full":
            raise UserError(
                f"Model {model.name!r} is a single file, whose form cannot be written without "
                f"code in it: adapt it by LoRA or the head, or leave {role} out of --keep-models."
            )
    elif reads_words(model):
        of_model = load_config(model)
        if getattr(of_model, "is_encoder_decoder", False) or text_config(of_model) is not of_model:
            raise UserError(
                f"Model {model.name!r}: only the part of it that reads text is trained, and such "
                f"models cannot be kept: leave {role} out of --keep-models."
            )


def keeping(steps: Sequence[Step], roles: Sequence[str]) -> tuple[Step, ...]:
    """The steps of a run, of which those of some roles keep their models."""
    return tuple(replace(step, keeps=step.kind in roles) for step in steps)


def sizes_told(config: StudyConfig, steps: Sequence[Step]) -> Iterator[str]:
    """What the models of steps that keep them will take, a sentence for each role."""
    for role in ROLES:
        count = sum(step.keeps and step.kind == role for step in steps)
        if not count:
            continue
        each = _bytes_of(config.weak if role == "supervisor" else config.strong)
        size = f"about {_size(each)} each, {_size(count * each)} in all" if each else "size unknown"
        several = f"{count} models" if count > 1 else "1 model"
        yield f"kept of the {role}: {several} ({size}), in the store and the run folder once"


def _bytes_of(spec: ModelSpec) -> int | None:
    """What the file of a trained model takes."""
    from weak2strong.models.guess import parameters
    from weak2strong.models.loaded import best_device
    from weak2strong.models.precision import precision_of
    from weak2strong.models.resolve import holds_of, resolve_model

    spec, counted = resolve_model(spec), parameters(spec)
    numbers = {
        "full": counted.trunk,
        "lora": counted.linear and spec.lora_rank * counted.linear,
        "head": counted.width,
    }[holds_of(spec)]
    return numbers and numbers * precision_of(spec, best_device()).itemsize


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def put_models(
    folder: Path, config: StudyConfig, task_runs: Mapping[str, TaskRun], steps: Sequence[Step]
) -> list[Path]:
    """Put the models of steps that keep them into a run folder, whose results are there.

    Returns:
        Their folders.

    Raises:
        UserError: where they cannot be written.
    """
    written = []
    for step in steps:
        if not step.keeps:
            continue
        cell = Cell(step.task, step.kind, step.seed or 0, step.method)
        task_run = task_runs[cell.task].of_seed(cell.seed)
        source = stages.kept_model(task_run, cell.role, cell.seed, cell.method)
        if source is None:
            continue
        target = folder / cell.folder
        put_model(source, target, cell, task_run, scores_of(folder, config, cell))
        written.append(target)
    return written


def put_model(
    source: Path, target: Path, cell: Cell, task_run: TaskRun, scores: Scores | None
) -> None:
    """Put one model of the store into a folder, whole or not at all.

    Raises:
        UserError: where it cannot be written.
    """
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        with writing(target, "choose another folder with --out"):
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.mkdir()
            for file in sorted(source.iterdir()):
                if file.name not in (ABOUT, CONFIG, ADAPTER_CONFIG):
                    _link(file, partial / file.name)
            _write_own(source, partial, cell, task_run, scores)
            sync_folder(partial)
            if target.exists():
                shutil.rmtree(target)
            partial.rename(target)
            sync_folder(target.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_own(
    source: Path, folder: Path, cell: Cell, task_run: TaskRun, scores: Scores | None
) -> None:
    """Write what the store does not know: whose model it is, how its classes are called, and where
    the model beneath lies."""
    classes = list(task_run.task.classes)
    about = _read(source / ABOUT)
    base = _base(about, task_run.config, cell.role)
    about |= {
        "base": about["base"] | {"name": base.name},
        "task": cell.task,
        "source": task_run.task.source,
        "role": cell.role,
        "method": cell.method,
        "seed": cell.seed,
        "oracle": cell.role == "student" and is_oracle(cell.method or ""),
        "classes": classes,
    }
    write_whole(folder / CARD, card(about, task_run.config, scores))
    # Whoever reads the folder may stand elsewhere.
    at = base.name if base.name in shipped() else _absolute(base)
    write_whole(folder / ABOUT, _json(about | {"base": about["base"] | {"name": at}}))
    if (source / ADAPTER_CONFIG).is_file():
        config = _read(source / ADAPTER_CONFIG) | {"base_model_name_or_path": _absolute(base)}
        write_whole(folder / ADAPTER_CONFIG, _json(config))
    if (source / CONFIG).is_file():
        config = _read(source / CONFIG)
        if about["transformers_class"] and len(classes) == about["outputs"]:
            config["id2label"] = {str(i): name for i, name in enumerate(classes)}
            config["label2id"] = {name: i for i, name in enumerate(classes)}
        write_whole(folder / CONFIG, _json(config))


def _base(about: Mapping[str, Any], config: StudyConfig, role: str) -> ModelSpec:
    """The model beneath, as this run names it; the store may have it from a run that named it
    otherwise. One that has read texts first lies in the store."""
    model = config.weak if role == "supervisor" else config.strong
    if about["base"]["fingerprint"] == fingerprint(model):
        return model if adapters_of(model) else beneath(model)
    return ModelSpec(about["base"]["name"], about["base"]["revision"])


def _absolute(model: ModelSpec) -> str:
    """Where a model is, for whoever stands elsewhere; the name of one of the hub."""
    return str(Path(location_of(model)).absolute()) if folder_of(model) else model.name


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8"))


def _json(content: Mapping[str, object]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _link(source: Path, target: Path) -> None:
    """Give a file a second name; where the file system cannot, copy it."""
    with contextlib.suppress(OSError):
        return os.link(source, target)
    shutil.copyfile(source, target)


def scores_of(folder: Path, config: StudyConfig, cell: Cell) -> Scores | None:
    """The scores of a cell, from the results of its run."""
    rows = read_results(open_run(folder)).filter(task=cell.task, seed=cell.seed)
    if cell.role == "student":
        rows = rows.filter(method=cell.method)
    rows = rows.filter(metric=config.metric or rows["metric"][0])
    if rows.is_empty() or (cell.role == "ceiling" and cell.method):
        return None
    row = rows.row(0, named=True)
    of_student = (row["student"], row["pgr_of_cell"]) if cell.role == "student" else (None, None)
    return Scores(row["metric"], row["floor"], row["ceiling"], *of_student)
