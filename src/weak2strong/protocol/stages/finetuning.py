"""The stage beneath supervisor, ceiling and students: fit one model, let it answer each split."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Stopping, Training
from weak2strong.ground.activations import Activations, load_activations, save_activations
from weak2strong.ground.draws import draw_seed
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import metric
from weak2strong.ground.plugins import digest_of
from weak2strong.ground.predictions import WRITTEN, Predictions, load_predictions, save_predictions
from weak2strong.losses import Loss, loss
from weak2strong.models.resolve import fingerprint
from weak2strong.protocol.learned import Learned, Spread, ends, entropies
from weak2strong.protocol.task_run import TaskRun, Write
from weak2strong.tasks.kinds import true_targets
from weak2strong.tasks.splits import digest, hold_out
from weak2strong.tasks.task import Example, Item, Kind
from weak2strong.training.training_set import TrainingSet

if TYPE_CHECKING:
    from weak2strong.models.load import LoadedModel
    from weak2strong.training.fit import Fit, OnEvaluation

PREDICTED = ("strong_train", "validation", "test")
"""Splits that every finetuned model answers."""

HELD_OUT = 0.1
"""Share of its own ground truth on which a supervisor or ceiling stops."""

ASIDE = "aside"
"""The name in place of a split of what a supervisor answers of its own that it has not learnt."""

FILE = "predictions.parquet"
STATES = "activations.safetensors"
TRACE = "trace.json"
CURVE = "curve.parquet"

TRACED = ("validation", "test")
"""Splits that a traced finetuning answers at every evaluation."""

Answer = Callable[[Sequence[Item]], Predictions]
"""How a finetuned model answers items."""

LAST = -1
"""The layer number under which activations of a finetuned model are stored: its last layer."""


@dataclass(frozen=True)
class Trace:
    """What a training gave on its way, by evaluation.

    Attributes:
        fractions: shares of training done.
        losses: means since the evaluation before.
        evaluations: answers for `TRACED` by split.
    """

    fractions: tuple[float, ...]
    losses: tuple[float, ...]
    evaluations: tuple[Mapping[str, Predictions], ...]


@dataclass(frozen=True)
class Finetuning:
    """All that decides the result of a finetuning.

    Attributes:
        task_run: of the task whose splits the model answers.
        model: what is finetuned.
        training: its settings.
        loss: what is minimised.
        train: what the model learns.
        validation: what the stopping rule compares the model's answers with; None without one.
        seed: of the cell.
        role: who is trained. Each role has draws of its own: of the fresh head, the order of
            examples, and dropout.
        aside: further items that the model answers, under the name `ASIDE`.
    """

    task_run: TaskRun
    model: ModelSpec
    training: Training
    loss: Loss
    train: TrainingSet
    validation: TrainingSet | None
    seed: int
    role: str
    aside: tuple[Item, ...] = ()

    @property
    def draws(self) -> int:
        """The seed of all that is drawn at random."""
        return draw_seed(self.seed, self.role)


def truth_parts(
    task_run: TaskRun, training: Training, examples: Sequence[Example], aside: bool = False
) -> tuple[Sequence[Example], Sequence[Example]]:
    """What a model that learns ground truth is trained on, and what is held out of its split.

    The second part is a tenth of the groups where the training stops on it (``weak-validation``) or
    something else needs answers ``aside``, and otherwise nothing.
    The checks on the ceiling learn from the first part, too: they are to be better by what they
    are, and not by more examples.
    """
    if training.stopping == "weak-validation" or aside:
        return hold_out(examples, HELD_OUT, task_run.split_seed)
    return examples, ()


def on_truth(
    task_run: TaskRun,
    model: ModelSpec,
    training: Training,
    examples: Sequence[Example],
    seed: int,
    role: str,
    aside: bool = False,
) -> Finetuning:
    """How a model learns ground truth (see `truth_parts`); ``aside`` it answers what is held out.

    A training that keeps its last weights is not told the ground truth of what is held out; with
    ``oracle`` it stops on that of the validation split.
    """
    kind, classes = task_run.task.kind, len(task_run.task.classes)
    learnt, held_out = truth_parts(task_run, training, examples, aside)
    stopped_on: Mapping[Stopping, Sequence[Example]] = {
        "none": (),
        "weak-validation": held_out,
        "oracle": task_run.splits.validation,
    }
    train, validation = (
        TrainingSet([e.item for e in part], true_targets(kind, part, classes)) if part else None
        for part in (learnt, stopped_on[training.stopping])
    )
    assert train is not None, "a task has examples in every split"
    of, answered = loss("cross-entropy"), tuple(e.item for e in held_out) if aside else ()
    return Finetuning(task_run, model, training, of, train, validation, seed, role, answered)


def finetune(finetuning: Finetuning) -> Mapping[str, Predictions]:
    """The stage: fit, then answer every split of `PREDICTED`, and `ASIDE` where that is asked for.

    Raises:
        UserError: for a loss that cannot be computed for this kind of task.
    """
    task, items = finetuning.task_run.task, items_of(finetuning.task_run, PREDICTED)
    if finetuning.aside:
        items = {**items, ASIDE: finetuning.aside}
    if task.kind in WRITTEN and finetuning.loss != loss("cross-entropy"):
        raise UserError(
            f"The loss {type(finetuning.loss).__name__} needs probabilities of classes, and task "
            f"{task.name} is answered in words: finetune with cross-entropy."
        )

    learn = _LEARNERS[task.kind]

    def make(working: Path) -> Write:
        answer, fit = learn(finetuning, working)
        answers = {split: answer(of_split) for split, of_split in items.items()}

        def write(folder: Path) -> None:
            writer(answers)(folder)
            _write_fit(fit, folder)

        return write

    folder = _stage("finetune", finetuning, make)
    answers = load_predictions(folder / FILE)
    finetuning.task_run.learned.append(_learned(finetuning, folder, answers))
    return answers


def _learned(finetuning: Finetuning, folder: Path, answers: Mapping[str, Predictions]) -> Learned:
    """What a finetuning took up of its labels, from its stage."""
    import polars as pl

    losses = pl.read_parquet(folder / CURVE)["loss"].to_list()
    kept = json.loads((folder / TRACE).read_text())["kept"]
    targets, training = finetuning.train.targets, finetuning.training
    in_words = finetuning.task_run.task.kind in WRITTEN
    guessing, least = (None, None) if in_words else entropies(targets)
    first, last = ends(losses, kept)
    return Learned(
        task=finetuning.task_run.task.name,
        role=finetuning.role,
        method=None,
        model=finetuning.model.name,
        seed=finetuning.seed,
        loss=type(finetuning.loss).__name__,
        rates=(training.learning_rate,) + (() if in_words else (training.head_rate,)),
        steps=len(losses),
        first=first,
        last=last,
        guessing=guessing,
        least=least,
        labels=None if in_words else Spread.of(targets),
        answers=None if in_words else Spread.of(answers["strong_train"].values),
    )


def traced(finetuning: Finetuning) -> Trace:
    """The stage of the same training, made once more, with the answers at every evaluation."""
    items = items_of(finetuning.task_run, TRACED)

    def make(working: Path) -> Write:
        def keep(fraction: float, answers: Mapping[str, Predictions]) -> None:
            writer(answers, _evaluation_file(fraction))(working)

        _, fit = _fitted(finetuning, working, items, keep)

        def write(folder: Path) -> None:
            for point in fit.trace:
                file = _evaluation_file(point.fraction)
                shutil.copyfile(working / file, folder / file)
            _write_fit(fit, folder)

        return write

    folder = _stage("traced", finetuning, make)
    points = json.loads((folder / TRACE).read_text())["trace"]
    fractions = tuple(point["fraction"] for point in points)
    evaluations = tuple(
        load_predictions(folder / _evaluation_file(fraction)) for fraction in fractions
    )
    return Trace(fractions, tuple(point["loss"] for point in points), evaluations)


def _evaluation_file(fraction: float) -> str:
    return f"look-{fraction:.9f}.parquet"


def _write_fit(fit: Fit, folder: Path) -> None:
    """Write the evaluations as JSON, and the steps as a table with a row each."""
    import polars as pl

    about = asdict(fit)
    curve = about.pop("curve")
    (folder / TRACE).write_text(json.dumps(about, indent=1))
    columns = {"loss": curve["losses"], "gradient_norm": curve["norms"], "rates": curve["rates"]}
    schema = {"loss": pl.Float64, "gradient_norm": pl.Float64, "rates": pl.List(pl.Float64)}
    pl.DataFrame(columns, schema=schema).write_parquet(folder / CURVE)


def finetuned_activations(finetuning: Finetuning) -> Mapping[str, Activations]:
    """The stage of the same training, made once more, with what the head reads of every text.

    Weights are not kept, so this is a fit of its own.
    """
    items = items_of(finetuning.task_run, PREDICTED)

    def make(working: Path) -> Write:
        from weak2strong.training.predict import pooled_activations

        model, _ = _fitted(finetuning, working)
        states = {
            split: Activations(tuple(i.id for i in of_split), pooled_activations(model, of_split))
            for split, of_split in items.items()
        }
        return lambda folder: save_activations(folder / STATES, {LAST: states})

    return load_activations(_stage("finetuned-activations", finetuning, make) / STATES)[LAST]


def items_of(task_run: TaskRun, splits: Sequence[str]) -> Mapping[str, Sequence[Item]]:
    """The items of some splits, without labels."""
    return {split: task_run.splits.items(split) for split in splits}


def _stage(name: str, finetuning: Finetuning, make: Callable[[Path], Write]) -> Path:
    """The folder of a stage whose key has all that decides the result of a finetuning."""
    task_run, plugin = finetuning.task_run, digest_of(type(finetuning.loss))
    settings = asdict(finetuning.loss)  # pyright: ignore
    fields = {
        "kind": task_run.task.kind,
        "classes": len(task_run.task.classes),
        "loss": {"name": type(finetuning.loss).__qualname__, **settings},
        "training": asdict(finetuning.training),
        "model": finetuning.model.settings,
        "seed": finetuning.seed,
        "role": finetuning.role,
    }
    inputs = {
        "weights": fingerprint(finetuning.model),
        "train": digest(finetuning.train.items),
        "targets": array_digest(finetuning.train.targets),
        **_stopped_on(finetuning.validation),
        **{f"asked_{s}": d for s, d in task_run.item_digests(PREDICTED).items()},
        **({f"asked_{ASIDE}": digest(finetuning.aside)} if finetuning.aside else {}),
        **({"plugin": plugin} if plugin else {}),
    }
    judged_by = metric(task_run.task.kind, finetuning.training.stopping_metric)
    return task_run.stage(name, fields, inputs, make, (finetuning.loss, judged_by)).path


def _stopped_on(validation: TrainingSet | None) -> dict[str, str]:
    """For keys: what the stopping rule compares answers with, if there is anything."""
    if validation is None:
        return {}
    return {
        "validation": digest(validation.items),
        "validation_targets": array_digest(validation.targets),
    }


def found_by_name(kind: Kind, training: Training) -> tuple[Callable, ...]:
    """For keys of stages that finetune among other things: what `finetune` finds by the kind of a
    task, and by the name of a metric."""
    return _LEARNERS[kind], metric(kind, training.stopping_metric)


def _fitted(
    finetuning: Finetuning,
    working: Path,
    items: Mapping[str, Sequence[Item]] | None = None,
    on_evaluation: OnEvaluation = lambda fraction, answers: None,
) -> tuple[LoadedModel, Fit]:
    """A finetuned model with a head, ready to answer.

    At every evaluation of the training it answers ``items``, and ``on_evaluation`` is told.
    """
    from weak2strong.models.load import load_model
    from weak2strong.training.fit import fit

    task_run = finetuning.task_run
    kind, classes = task_run.task.kind, len(task_run.task.classes)
    model = load_model(finetuning.model, kind, classes, finetuning.draws)
    result = fit(
        model,
        finetuning.train,
        finetuning.loss,
        finetuning.training,
        finetuning.draws,
        finetuning.validation,
        evaluated=items,
        on_evaluation=on_evaluation,
        on_step=task_run.on_step,
        checkpoint=working / "checkpoint.safetensors",
    )
    task_run.note = result.note
    model.freeze()
    return model, result


def _with_head(finetuning: Finetuning, working: Path) -> tuple[Answer, Fit]:
    """How a finetuned model with a head answers."""
    from weak2strong.training.predict import predict

    model, result = _fitted(finetuning, working)
    return partial(predict, model), result


def _in_words(finetuning: Finetuning, working: Path) -> tuple[Answer, Fit]:
    """How a finetuned language model answers."""
    from weak2strong.models.language import load_language_model
    from weak2strong.training.writing import fit_writing

    model = load_language_model(finetuning.model, finetuning.draws)
    writing, result = fit_writing(
        model,
        finetuning.train,
        finetuning.training,
        finetuning.draws,
        finetuning.validation,
        on_step=finetuning.task_run.on_step,
        checkpoint=working / "checkpoint.safetensors",
    )
    finetuning.task_run.note = result.note
    model.freeze()
    return writing.answers, result


_LEARNERS: dict[Kind, Callable[[Finetuning, Path], tuple[Answer, Fit]]] = {
    "classification": _with_head,
    "preference": _with_head,
    "generation": _in_words,
}


def writer(answers: Mapping[str, Predictions], file: str = FILE) -> Write:
    """Writes predictions by split, in the form that `load_predictions` reads."""
    return lambda folder: save_predictions(folder / file, dict(answers))


def labels_digest(p: Predictions) -> str:
    """SHA-256 of ids, in their order, and labels."""
    sha = hashlib.sha256(json.dumps([p.kind, p.ids]).encode())
    sha.update(array_digest(p.values).encode())
    return sha.hexdigest()


def array_digest(values: np.ndarray) -> str:
    """SHA-256 of shape and float64 values, or of texts."""
    if values.dtype == object:
        return hashlib.sha256(json.dumps(values.tolist()).encode()).hexdigest()
    values = np.ascontiguousarray(values, dtype=np.float64)
    return hashlib.sha256(str(values.shape).encode() + values.tobytes()).hexdigest()
