"""A student: what a method makes of the strong model and the weak labels, and what it may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.ground.activations import Activations
from weak2strong.ground.errors import UserError
from weak2strong.ground.plugins import digest_of_all
from weak2strong.ground.predictions import Predictions, joined, load_predictions
from weak2strong.losses import Loss, loss
from weak2strong.methods.method import Context, Method
from weak2strong.methods.reference import find_method, is_extended
from weak2strong.models.resolve import fingerprint, usual_rates
from weak2strong.protocol.stages.finetuning import (
    FILE,
    PREDICTED,
    Finetuning,
    Lesson,
    Trace,
    finetune,
    finetuned_activations,
    labels_digest,
    traced,
    writer,
)
from weak2strong.protocol.stages.frozen import activations, after_reading, prompted
from weak2strong.protocol.stages.labels import student_task_run, weak_labels
from weak2strong.protocol.stages.returned import returned
from weak2strong.protocol.stages.roles import supervisor
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.kinds import hardened, true_targets
from weak2strong.tasks.splits import digest
from weak2strong.tasks.task import Item

TOLD = ("weak_train", "strong_train", "validation")
"""Splits whose ground truth an oracle is told; of ``test`` nobody is."""

STRIDE = 1000
"""Between the seeds of supervisors of one ensemble, so that no study has them as its own."""


def student(task_run: TaskRun, method: str, seed: int) -> Mapping[str, Predictions]:
    """What the method of that reference makes of the strong model and the weak labels."""
    found, given = find_method(method), weak_labels(task_run, seed)
    task_run, labels = student_task_run(task_run, given), shown(task_run, given)
    context = StudentContext(task_run, found, seed, task_run.config.strong, labels)
    entry = task_run.stage(
        "student",
        {
            "method": method,
            "seed": seed,
            "training": asdict(task_run.config.strong_training),
            "model": task_run.config.strong.settings,
            **_fields(task_run, found),
        },
        {
            "weights": fingerprint(task_run.config.strong),
            "weak_labels": labels_digest(labels),
            **task_run.item_digests(PREDICTED),
            **_inputs(task_run, found),
            **({"plugins": digest_of_all()} if is_extended(method) else {}),
        },
        lambda working: writer(returned(task_run, found, found.run(context))),
    )
    return load_predictions(entry.path / FILE)


def traced_student(task_run: TaskRun, method: str, seed: int, evaluations: int) -> Trace:
    """What the student of a method that finetunes once says on its way to the last step.

    It learns as it would in any study, but for how often it is looked at.

    Raises:
        UserError: the method does not finetune just once.
    """
    usual = task_run.config.strong_training
    training = replace(usual, evaluations=evaluations, evaluate_every=None, stopping="none")
    given = weak_labels(task_run, seed)
    watched = replace(
        student_task_run(task_run, given), config=replace(task_run.config, strong_training=training)
    )
    context = _Traced(
        watched, find_method(method), seed, task_run.config.strong, shown(task_run, given)
    )
    find_method(method).run(context)
    if len(context.traces) != 1:
        raise UserError(
            f"The method {method!r} finetunes {len(context.traces)} times, so it has no one curve."
        )
    return context.traces[0]


@dataclass(frozen=True)
class StudentContext:
    """What a method sees (see `weak2strong.methods.method.Context`)."""

    _task_run: TaskRun
    _method: Method
    seed: int
    _student: ModelSpec
    weak_labels: Predictions

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self._task_run.task.classes)

    @property
    def intermediates(self) -> tuple[str, ...]:
        """Names of the models between supervisor and student."""
        return tuple(model.name for model in self._task_run.config.intermediates or ())

    @cached_property
    def _labelled(self) -> frozenset[str]:
        return frozenset(self.weak_labels.ids)

    def items(self, split: str) -> tuple[Item, ...]:
        """The label-free examples of a split; of ``strong_train`` those with a weak label."""
        if split not in (*PREDICTED, *(("weak_train",) if self._method.oracle else ())):
            raise KeyError(split)
        items = self._task_run.splits.items(split)
        if split == "strong_train":
            return tuple(item for item in items if item.id in self._labelled)
        return items

    def finetune(
        self, labels: Predictions, loss: Loss | str = "cross-entropy", *, model: str | None = None
    ) -> Mapping[str, Predictions]:
        """Finetune the student model, or an intermediate, on labels by id; cached."""
        return finetune(self._finetuning(labels, loss, model))

    def finetuned_activations(
        self, labels: Predictions, loss: Loss | str = "cross-entropy"
    ) -> Mapping[str, Activations]:
        """What a student of these labels has in its last layer; cached."""
        return finetuned_activations(self._finetuning(labels, loss))

    def activations(self, layer: int | str = "usual") -> Mapping[str, Activations]:
        """The pretrained student's activations of a layer, by split; cached."""
        return activations(self._task_run, self._student, layer)

    def prompted(
        self,
        draws: Sequence[Sequence[tuple[Item, int]]],
        *,
        calibrate: bool,
        template: str | None = None,
    ) -> Mapping[str, Predictions]:
        """The pretrained student's answers to prompts; cached."""
        shots = [[(item.text, answer) for item, answer in draw] for draw in draws]
        return prompted(self._task_run, self._student, shots, calibrate, template)

    def supervisors(self, seeds: int) -> tuple[Predictions, ...]:
        """Weak labels of this supervisor and of others; cached."""
        others = [(model, self.seed) for model in self._task_run.config.supervisors] or [
            (None, self.seed + STRIDE * i) for i in range(1, seeds)
        ]
        found = [shown(self._task_run, supervisor(self._task_run, s, model)) for model, s in others]
        return (self.weak_labels, *found)

    def truth(self, split: str) -> Predictions:
        """Ground truth, if the method says that it needs it."""
        if not self._method.oracle:
            raise UserError(
                f"The method {self._method.name!r} asks for ground truth, and does not say so: "
                'give it needs=("truth",), which makes it an oracle.'
            )
        if split not in TOLD:
            raise KeyError(split)
        task, examples = self._task_run.task, self._task_run.splits.examples(split)
        targets = true_targets(task.kind, examples, self.classes)
        return Predictions(tuple(e.item.id for e in examples), targets, task.kind)

    def with_labels(self, labels: Predictions) -> Context:
        """The same context with other weak labels."""
        return replace(self, weak_labels=labels)

    def after_reading(self, epochs: int) -> Context:
        """The same context with a student that has read the texts; cached."""
        texts = self._task_run.splits.items("strong_train")
        read = after_reading(self._task_run, self._student, texts, epochs, self.seed)
        return replace(self, _student=read)

    def _finetuning(
        self, labels: Predictions, of: Loss | str, model: str | None = None
    ) -> Finetuning:
        """How the student, or an intermediate, learns labels by id."""
        spec, training = self._model(model)
        of = loss(of) if isinstance(of, str) else of
        return Finetuning(self._task_run, spec, training, of, self._lesson(labels), self.seed)

    def _model(self, name: str | None) -> tuple[ModelSpec, Training]:
        """The student or an intermediate, with its training."""
        config = self._task_run.config
        if name is None:
            return self._student, config.strong_training
        for model in config.intermediates or ():
            if model.name == name:
                return model, config.strong_training.at_usual_rates(usual_rates(model))
        raise KeyError(name)

    def _lesson(self, labels: Predictions) -> Lesson:
        """Labels by id as what a finetuning learns from and stops on."""
        items = self._task_run.splits.items
        labelled = set(labels.ids)
        learn = [item for item in items("strong_train") if item.id in labelled]
        watch = items("validation")
        if self._task_run.config.strong_training.stopping == "oracle":
            # Here a student's training sees ground truth, and only since asked to.
            validation = self._task_run.splits.validation
            seen = true_targets(self._task_run.task.kind, validation, self.classes)
        else:
            seen = labels.at([item.id for item in watch])
        return Lesson(learn, labels.at([item.id for item in learn]), watch, seen)


@dataclass(frozen=True)
class _Traced(StudentContext):
    """A context that keeps the trace of every finetuning."""

    traces: list[Trace] = field(default_factory=list)

    def finetune(
        self, labels: Predictions, loss: Loss | str = "cross-entropy", *, model: str | None = None
    ) -> Mapping[str, Predictions]:
        """Finetune, and answer what was asked on the way with the last weights."""
        trace = traced(self._finetuning(labels, loss, model))
        self.traces.append(trace)
        return trace.evaluations[-1]


def shown(task_run: TaskRun, labels: Mapping[str, Predictions]) -> Predictions:
    """The labels of the splits that a student learns from and stops on, as the study has them."""
    told = joined(labels["strong_train"], labels["validation"])
    if task_run.config.labels == "hard":
        told = replace(told, values=hardened(task_run.task.kind, told.values))
    return told


def _fields(task_run: TaskRun, method: Method) -> dict[str, Any]:
    """The settings of the other models that a method uses."""
    config, found = task_run.config, dict[str, Any]()
    if "intermediates" in method.needs:
        found["intermediates"] = [m.settings for m in config.intermediates or ()]
    if "supervisor" in method.needs:
        found["supervisors"] = [m.settings for m in (config.weak, *config.supervisors)]
        found["weak_training"] = asdict(config.weak_training)
    return found


def _inputs(task_run: TaskRun, method: Method) -> dict[str, str]:
    """Their weights, and the ground truth that the method is told of or its supervisors learn."""
    config, splits, models, told = task_run.config, task_run.splits, [], set[str]()
    if "intermediates" in method.needs:
        models += config.intermediates or ()
    if "supervisor" in method.needs:
        models += (config.weak, *config.supervisors)
        told.add("weak_train")
    if method.oracle:
        told.update(TOLD)
    if config.strong_training.stopping == "oracle":
        told.add("validation")
    weights = {f"weights_{i}": fingerprint(model) for i, model in enumerate(models)}
    return weights | {f"truth_{s}": digest(splits.examples(s)) for s in sorted(told)}
