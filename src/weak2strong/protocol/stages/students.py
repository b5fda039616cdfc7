"""A student: a method makes it of the strong model and the weak labels; and what a method sees."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.ground.activations import Activations
from weak2strong.ground.errors import UserError
from weak2strong.ground.plugins import digest_of_all
from weak2strong.ground.predictions import WRITTEN, Predictions, joined, load_predictions
from weak2strong.losses import Loss, loss
from weak2strong.losses.consistent import Consistent
from weak2strong.methods.method import Context, Method, Need
from weak2strong.methods.reference import find_method, find_part, is_extended, prepared
from weak2strong.models.quantisation import settings_in_keys
from weak2strong.models.rates import usual_rates
from weak2strong.models.resolve import fingerprint
from weak2strong.protocol.learned import Learned, read_learned, write_learned
from weak2strong.protocol.needs import check_pairs
from weak2strong.protocol.stages.files import FILE, LEFT_OUT, labels_digest, writer
from weak2strong.protocol.stages.finetune import Trace, finetune, finetuned_activations, traced
from weak2strong.protocol.stages.finetuning import PREDICTED, Finetuning
from weak2strong.protocol.stages.frozen import (
    activations,
    after_reading,
    answered_in_words,
    prompted,
)
from weak2strong.protocol.stages.labels import student_labels, student_task_run, weak_labels
from weak2strong.protocol.stages.learners import found_by_name, loaders_of
from weak2strong.protocol.stages.rates import at_rates
from weak2strong.protocol.stages.returned import returned
from weak2strong.protocol.stages.supervisor import supervisor
from weak2strong.protocol.task_run import TaskRun, Write
from weak2strong.tasks.asked import Asked, longest_of
from weak2strong.tasks.kinds import true_targets
from weak2strong.tasks.splits import digest
from weak2strong.tasks.task import Item, asked_text
from weak2strong.training.training_set import TrainingSet

ORACLE_SPLITS = ("weak_train", "strong_train", "validation")
"""Splits whose ground truth an oracle sees; no method sees that of ``test``."""

STRIDE = 1000
"""Distance between the seeds of the supervisors of one ensemble: no study has seeds that high."""


def student(task_run: TaskRun, method: str, seed: int) -> Mapping[str, Predictions]:
    """The answers, by split, of the student that a method makes of strong model and weak labels."""
    return load_predictions(_student(task_run, method, seed) / FILE)


def left_out(task_run: TaskRun, method: str, seed: int) -> frozenset[str]:
    """The ids of ``strong_train`` whose weak labels that student did not learn."""
    return frozenset(json.loads((_student(task_run, method, seed) / LEFT_OUT).read_text()))


def _student(task_run: TaskRun, method: str, seed: int) -> Path:
    """The folder of the stage of a student."""
    trainer, by_split = find_method(method), weak_labels(task_run, seed)
    task_run = at_rates(task_run, "strong")
    if "supervisor" in trainer.needs:
        # An ensemble trains further supervisors, at the rates of the first.
        task_run = at_rates(task_run, "weak")
    task_run, labels = student_task_run(task_run, by_split), student_labels(task_run, by_split)
    strong, training = task_run.config.strong, task_run.config.strong_training
    learned = task_run.learned
    fields = {
        "method": method,
        "seed": seed,
        "training": asdict(training),
        "model": settings_in_keys(strong),
        "prompt": asdict(task_run.task.wording) if task_run.task.classes else None,
        **_fields(task_run, trainer),
    }
    inputs = {
        "weights": fingerprint(strong),
        "weak_labels": labels_digest(labels),
        **task_run.item_digests(PREDICTED, strong),
        **_inputs(task_run, trainer),
        **({"plugins": digest_of_all()} if is_extended(method) else {}),
    }

    def make(working: Path) -> Write:
        context, before = StudentContext(task_run, trainer, seed, strong, labels), len(learned)
        answers = returned(task_run, trainer, trainer.run(context))
        without = _left_out(task_run, context)
        its_own = learned[before:]
        # They are read below, whether the student was made now or earlier.
        del learned[before:]

        def write(folder: Path) -> None:
            writer(answers)(folder)
            write_learned(folder, its_own)
            (folder / LEFT_OUT).write_text(json.dumps(without))

        return write

    kind = task_run.task.kind
    named = (trainer, *found_by_name(kind, training), *loaders_of(kind, strong))
    folder = task_run.stage("student", fields, inputs, make, named).path
    learned.extend(named_here(task_run.config, read_learned(folder, method)))
    return folder


def _left_out(task_run: TaskRun, context: StudentContext) -> list[str]:
    """The ids of ``strong_train`` that a method left out in the end."""
    learnt = set(context.learnt[-1] if context.learnt else context.weak_labels.ids)
    ids = (item.id for item in task_run.splits.items("strong_train"))
    return [id for id in ids if id not in learnt]


def named_here(config: StudyConfig, learned: Sequence[Learned]) -> list[Learned]:
    """What finetunings took up, with models by the names that the study has for them.

    Whoever made the student may have had a model in another folder, of the same name.
    """
    models = (config.weak, config.strong, *(config.intermediates or ()), *config.supervisors)
    names = {Path(model.name).name: model.name for model in models}
    return [replace(one, model=names.get(Path(one.model).name, one.model)) for one in learned]


def traced_student(
    task_run: TaskRun,
    method: str,
    seed: int,
    evaluations: int,
    trained: Mapping[str, Any] = MappingProxyType({}),
) -> Trace:
    """The answers, during its training, of the student of a method that finetunes once.

    It learns as in any study; only the number of evaluations differs, and what ``trained`` says.

    Args:
        task_run: of the task.
        method: by name.
        seed: of the student.
        evaluations: how many.
        trained: settings of the student's training that are not those of the study, by name.

    Raises:
        UserError: the method does not finetune just once.
    """
    task_run = at_rates(task_run, "strong")
    usual = replace(task_run.config.strong_training, **trained)
    training = replace(usual, evaluations=evaluations, evaluate_every=None, stopping="none")
    by_split, trainer = weak_labels(task_run, seed), find_method(method)
    labels = student_labels(task_run, by_split)
    config = replace(task_run.config, strong_training=training)
    task_run = replace(student_task_run(task_run, by_split), config=config)
    context = _Traced(task_run, trainer, seed, config.strong, labels)
    trainer.run(context)
    if len(context.traces) != 1:
        raise UserError(
            f"The method {method!r} finetunes {len(context.traces)} times, so it has no one curve."
        )
    return context.traces[0]


@dataclass(frozen=True)
class StudentContext:
    """What a method sees (see `weak2strong.methods.method.Context`).

    Attributes:
        learnt: the ids of labels that a student learned, or that a step left to the method after
            it, in the order in which the method went on.
        consistency: the weight of the term by which answers to pairs agree; 0 for none.
    """

    _task_run: TaskRun
    _method: Method
    seed: int
    student: ModelSpec
    weak_labels: Predictions
    learnt: list[tuple[str, ...]] = field(default_factory=list)
    consistency: float = 0.0

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self._task_run.task.classes)

    @property
    def intermediates(self) -> tuple[str, ...]:
        """Names of the models between supervisor and student, if the method says that it needs
        them."""
        self._check_declared("intermediates", "models between supervisor and student")
        return tuple(model.name for model in self._task_run.config.intermediates or ())

    @cached_property
    def _labelled(self) -> frozenset[str]:
        return frozenset(self.weak_labels.ids)

    def items(self, split: str) -> tuple[Item, ...]:
        """The label-free examples of a split; of ``strong_train`` those with a weak label.

        They do not say where an image lies, since its path may name its class.
        """
        if split not in (*PREDICTED, *(("weak_train",) if self._method.oracle else ())):
            raise KeyError(split)
        items = tuple(
            replace(item, file="") if item.file else item
            for item in self._task_run.splits.items(split)
        )
        if split == "strong_train":
            return tuple(item for item in items if item.id in self._labelled)
        return items

    def finetune(
        self,
        labels: Predictions,
        loss: Loss | str = "cross-entropy",
        *,
        model: str | None = None,
        fresh: int = 0,
    ) -> Mapping[str, Predictions]:
        """Finetune the student model, or an intermediate, on labels by id; cached."""
        if model is None:
            self.learnt.append(labels.ids)
        return finetune(self._finetuning(labels, loss, model, fresh))

    def finetuned_activations(
        self, labels: Predictions, loss: Loss | str = "cross-entropy"
    ) -> Mapping[str, Activations]:
        """The last layer's activations of a student of these labels; cached."""
        return finetuned_activations(self._finetuning(labels, loss))

    def activations(self, layer: int | str = "usual") -> Mapping[str, Activations]:
        """The pretrained student's activations of a layer, by split; cached."""
        return activations(self._task_run, self.student, layer)

    def prompted(
        self,
        draws: Sequence[Sequence[tuple[Item, Any]]],
        *,
        calibrate: bool,
        template: str | None = None,
        form: str = "plain",
        system: str | None = None,
    ) -> Mapping[str, Predictions]:
        """The pretrained student's answers to prompts; cached."""
        shots = [[(asked_text(item), answer) for item, answer in draw] for draw in draws]
        if self._task_run.task.kind in WRITTEN:
            given = [*self.weak_labels.values, *(answer for draw in shots for _, answer in draw)]
            asked = Asked(form, system, shots, longest_of(given))
            return answered_in_words(self._task_run, self.student, asked)
        return prompted(self._task_run, self.student, shots, calibrate, template)

    def supervisors(self, seeds: int) -> tuple[Predictions, ...]:
        """Weak labels of this supervisor and of others, if the method says that it needs them;
        cached."""
        self._check_declared("supervisor", "further supervisors")
        others = [(model, self.seed) for model in self._task_run.config.supervisors] or [
            (None, self.seed + STRIDE * i) for i in range(1, seeds)
        ]
        labels = [
            student_labels(self._task_run, supervisor(self._task_run, seed, model))
            for model, seed in others
        ]
        return (self.weak_labels, *labels)

    def truth(self, split: str) -> Predictions:
        """Ground truth, if the method says that it needs it."""
        if not self._method.oracle:
            raise UserError(
                f"The method {self._method.name!r} asks for ground truth, and does not say so: "
                'give it needs=("truth",), which makes it an oracle.'
            )
        if split not in ORACLE_SPLITS:
            raise KeyError(split)
        return true_labels_of(self._task_run, split)

    def with_labels(self, labels: Predictions) -> Context:
        """The same context with other weak labels."""
        self.learnt.append(labels.ids)
        return replace(self, weak_labels=labels)

    def with_consistency(self, weight: float) -> Context:
        """The same context, whose finetunings pull the two answers of each pair together."""
        self._check_declared("pairs", "pairs of texts")
        items = self._task_run.splits.items("strong_train")
        check_pairs(self._method, self._task_run.task.name, items)
        return replace(self, consistency=weight)

    def after_reading(self, epochs: int) -> Context:
        """The same context with a student that has read the texts; cached."""
        texts = self._task_run.splits.items("strong_train")
        read = after_reading(self._task_run, self.student, texts, epochs, self.seed)
        return replace(self, student=read)

    def _check_declared(self, need: Need, what: str) -> None:
        """Refuse what is in the key only of methods that say that they need it."""
        if need not in self._method.needs:
            raise UserError(
                f"The method {self._method.name!r} asks for {what}, and does not say so: "
                f'give it needs=("{need}",).'
            )

    def _finetuning(
        self, labels: Predictions, of: Loss | str, model: str | None = None, fresh: int = 0
    ) -> Finetuning:
        """How the student, or an intermediate, learns labels by id."""
        role = f"student {fresh}" if fresh else "student"
        spec, training = self._model(model)
        minimised: Any = loss(of) if isinstance(of, str) else of
        if self.consistency:
            minimised = Consistent(minimised, self.consistency, type(minimised).__qualname__)
        train, validation = self._training_sets(labels)
        return Finetuning(
            self._task_run, spec, training, minimised, train, validation, self.seed, role
        )

    def _model(self, name: str | None) -> tuple[ModelSpec, Training]:
        """The student or an intermediate, with its training."""
        config = self._task_run.config
        if name is None:
            return self.student, config.strong_training
        self._check_declared("intermediates", "models between supervisor and student")
        for model in config.intermediates or ():
            if model.name == name:
                return model, config.strong_training.at_usual_rates(usual_rates(model))
        raise KeyError(name)

    def _training_sets(self, labels: Predictions) -> tuple[TrainingSet, TrainingSet | None]:
        """What a finetuning on labels by id learns from, and what it stops on, if it does."""
        splits, labelled = self._task_run.splits, set(labels.ids)
        train = [item for item in splits.items("strong_train") if item.id in labelled]
        learnt = TrainingSet(train, labels.at([item.id for item in train]))
        stopping, validation = self._task_run.config.strong_training.stopping, splits.validation
        if stopping == "none":
            return learnt, None
        items = [example.item for example in validation]
        if stopping == "oracle":
            # Only with this setting, which the user has to name, training sees ground truth.
            targets = true_targets(self._task_run.task.kind, validation, self.classes)
        else:
            targets = labels.at([item.id for item in items])
        return learnt, TrainingSet(items, targets)


@dataclass(frozen=True)
class _Traced(StudentContext):
    """A context that keeps the trace of every finetuning."""

    traces: list[Trace] = field(default_factory=list)

    def finetune(
        self,
        labels: Predictions,
        loss: Loss | str = "cross-entropy",
        *,
        model: str | None = None,
        fresh: int = 0,
    ) -> Mapping[str, Predictions]:
        """Finetune with a trace; the answers are those of the last weights."""
        trace = traced(self._finetuning(labels, loss, model, fresh))
        self.traces.append(trace)
        return trace.evaluations[-1]


def after_step(task_run: TaskRun, step: str, seed: int) -> ModelSpec:
    """The strong model as a step leaves it, such as one that reads texts.

    In place of weak labels the step is given ground truth: what it does with labels plays no part.
    """
    method = find_part(step)
    labels = joined(*(true_labels_of(task_run, split) for split in ("strong_train", "validation")))
    context = StudentContext(task_run, method, seed, task_run.config.strong, labels)
    changed = prepared(method, context)
    assert isinstance(changed, StudentContext), "a step returns a changed copy of its context"
    return changed.student


def true_labels_of(task_run: TaskRun, split: str) -> Predictions:
    """Ground truth of a split, in the form of predictions."""
    task, examples = task_run.task, task_run.splits.examples(split)
    targets = true_targets(task.kind, examples, len(task.classes))
    return Predictions(tuple(e.item.id for e in examples), targets, task.kind)


def _fields(task_run: TaskRun, method: Method) -> dict[str, Any]:
    """For the key: the settings of the other models that a method uses, and how these learn."""
    config, fields = task_run.config, dict[str, Any]()
    if "intermediates" in method.needs:
        models = config.intermediates or ()
        fields["intermediates"] = [settings_in_keys(m) for m in models]
        fields["rates_of_intermediates"] = [usual_rates(m) for m in models]
    if "supervisor" in method.needs:
        fields["supervisors"] = [settings_in_keys(m) for m in (config.weak, *config.supervisors)]
        fields["rates_of_supervisors"] = [
            usual_rates(m) for m in config.supervisors if m.is_trained
        ]
        fields["weak_training"] = asdict(config.weak_training)
        # Of what is held out of their ground truth, and of their labels.
        fields["split_seed"], fields["labels"] = task_run.split_seed, config.labels
        if config.weak_label_temperature is not None:
            fields["weak_label_temperature"] = config.weak_label_temperature
    return fields


def _inputs(task_run: TaskRun, method: Method) -> dict[str, str]:
    """For the key: the weights of these models, what they read, and the ground truth that plays a
    part."""
    config, models, with_truth = task_run.config, [], set[str]()
    if "intermediates" in method.needs:
        models += config.intermediates or ()
    if "supervisor" in method.needs:
        models += (config.weak, *config.supervisors)
        with_truth.add("weak_train")
    if method.oracle:
        with_truth.update(ORACLE_SPLITS)
    if config.strong_training.stopping == "oracle":
        with_truth.add("validation")
    splits = (*PREDICTED, "weak_train") if "supervisor" in method.needs else PREDICTED
    weights = dict[str, str]()
    for i, model in enumerate(models):
        read = task_run.item_digests(splits, model)
        weights |= {f"read_{i}_{split}": of_split for split, of_split in read.items()}
        weights[f"weights_{i}"] = fingerprint(model)
    truth = {f"truth_{s}": digest(task_run.splits.examples(s)) for s in sorted(with_truth)}
    return weights | truth
