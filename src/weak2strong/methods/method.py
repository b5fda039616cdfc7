"""The contract of a method: the context that it is given, and the value that it returns.

A method sees items without labels, and weak labels. A context gives the ground truth of a split
only to methods that declare that they need it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, replace
from functools import partial
from typing import Any, Literal, Protocol, get_args

from weak2strong.ground.activations import Activations
from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.ground.predictions import Predictions
from weak2strong.tasks.task import Item
from weak2strong.training.loss import Loss

Need = Literal["truth", "decoder", "trunk", "intermediates", "supervisor", "stopping", "pairs"]

Saliency = Literal["lp(weak)", "ft(weak)", "ft(weak)+lp(gt)"]
"""A bar of the saliency figure: a linear probe on weak labels, finetuning on weak labels, and a
linear probe with ground truth after that."""

Trait = Literal["zero-shot", "few-shot"]
"""What the pretrained student does with a task before anyone trains it (`w2s explain`)."""

Part = Literal["labels", "finetuning", "student"]
"""What of a context a step changes, and a method makes use of: the weak labels of ``strong_train``,
how the student is finetuned, and the pretrained student itself."""

EVERY_PART: tuple[Part, ...] = ("labels", "finetuning", "student")

NEEDS: Mapping[Need, str] = {
    "truth": "ground truth, which makes its result an upper bound (oracle)",
    "decoder": "a student that is a decoder, that is a language model",
    "trunk": "a student that is trained beneath its head",
    "intermediates": "models between supervisor and student (--intermediates)",
    "supervisor": "a supervisor to train, not a file of weak labels",
    "stopping": "a stopping rule (--stopping weak-validation)",
    "pairs": "texts that say the same or the opposite of each other (a column pair)",
}
"""What a study may be unable to provide, by name."""


PROBABILISTIC = ("classification", "preference")
"""Kinds of task whose labels are probabilities."""

EVERY_KIND = (*PROBABILISTIC, "generation")


class Context(Protocol):
    """What a study offers to a method, for one task, pair of models and seed.

    Results that take long are stages of the store: where this method or another one calls for
    them again, they are read.
    """

    @property
    def classes(self) -> int:
        """Number of classes of the task."""
        ...

    @property
    def seed(self) -> int:
        """The seed of the cell, for random numbers of the method."""
        ...

    @property
    def weak_labels(self) -> Predictions:
        """The supervisor's probabilities for ``strong_train`` and ``validation``; its texts for a
        generation task."""
        ...

    @property
    def intermediates(self) -> tuple[str, ...]:
        """Names of the models between supervisor and student, the smallest first."""
        ...

    def items(self, split: str) -> tuple[Item, ...]:
        """The items of ``strong_train``, ``validation`` or ``test``, without labels.

        Those of ``strong_train`` are the ones that have a weak label (see `with_labels`).
        Methods that need ground truth have ``weak_train``, too.
        """
        ...

    def finetune(
        self,
        labels: Predictions,
        loss: Loss | str = "cross-entropy",
        *,
        model: str | None = None,
        fresh: int = 0,
    ) -> Mapping[str, Predictions]:
        """Finetune the student model, or an intermediate, and let it answer.

        Args:
            labels: targets for those items of ``strong_train`` that the model is to learn,
                and for ``validation``, on which it stops.
            loss: a loss, or the name of one with its usual settings.
            model: one of `intermediates`; the student if None.
            fresh: 0 for the student; another number for a student whose head and order of
                examples are drawn anew, the same ones for the same number.

        Returns:
            Predictions for all of ``strong_train``, ``validation`` and ``test``.
        """
        ...

    def activations(self, layer: int | str = "usual") -> Mapping[str, Activations]:
        """The pretrained student's activations for each text, by split.

        Args:
            layer: "middle", "last" (which the head reads), "usual" (the middle one, or the last
                one of a model with few layers), or a number: 0 is the embeddings, -1 the last.

        Returns:
            One vector a text of ``strong_train`` (all of it), ``validation`` and ``test``, of
            the last token or the mean as the model's head would read it.
        """
        ...

    def finetuned_activations(
        self, labels: Predictions, loss: Loss | str = "cross-entropy"
    ) -> Mapping[str, Activations]:
        """The last layer's activations after `finetune` with the same labels and loss."""
        ...

    def prompted(
        self,
        draws: Sequence[Sequence[tuple[Item, Any]]],
        *,
        calibrate: bool,
        template: str | None = None,
        form: str = "plain",
        system: str | None = None,
    ) -> Mapping[str, Predictions]:
        """Answers of the pretrained student to prompts: probabilities of the answer words, or what
        it writes.

        The two completions of a preference are asked about in both orders, and the mean is taken,
        since models prefer a place.

        Args:
            draws: for each draw the shots with their classes, or in a generation their texts;
                answers are the mean over draws, or the most frequent text.
            calibrate: divide by the probabilities after texts without content.
            template: a text with ``{text}`` in it, in place of the task's own.
            form: of prompts that are answered in words, plain or headed.
            system: what stands before these.

        Returns:
            Predictions for all of ``strong_train``, ``validation`` and ``test``.
        """
        ...

    def supervisors(self, seeds: int) -> tuple[Predictions, ...]:
        """Weak labels, like `weak_labels`, of this supervisor and of others.

        The others are the study's further supervisors, or where it has none, the
        same model with other seeds, ``seeds`` of them in all.
        """
        ...

    def truth(self, split: str) -> Predictions:
        """Ground truth of ``weak_train``, ``strong_train`` or ``validation``, for oracles only.

        Raises:
            UserError: for a method that does not declare that it needs "truth".
        """
        ...

    def with_labels(self, labels: Predictions) -> Context:
        """The same context with other weak labels, for all of ``strong_train`` or some of it."""
        ...

    def with_consistency(self, weight: float) -> Context:
        """The same context, whose finetunings pull the two answers of each pair together.

        Args:
            weight: of the term beside the loss (see `weak2strong.losses.consistent`), above 0.

        Raises:
            UserError: where no text has a partner.
        """
        ...

    def after_reading(self, epochs: int) -> Context:
        """The same context with a student that has read the texts of ``strong_train``.

        It is finetuned as a language model, without any label.
        """
        ...


def usual_value(default: Any, declared: Any) -> Any:
    """The usual value of a setting that has this default and this declared type.

    A whole number as the default of a fraction, as in ``scale: float = 1``, is a fraction, so that
    other fractions can be given; None is the value of a setting without a default.
    """
    if default is MISSING:
        return None
    fraction = declared in (float, "float") and type(default) is int
    return float(default) if fraction else default


@dataclass(frozen=True)
class Given:
    """What a study gives to a method on one task, as far as that is known before any training.

    Attributes:
        items: of a split by its name, without labels.
        intermediates: how many models there are between supervisor and student.
    """

    items: Callable[[str], Sequence[Item]]
    intermediates: int = 0


@dataclass(frozen=True)
class Method:
    """A named way to train a student, or a step before others.

    Attributes:
        name: as on the command line.
        summary: one line for lists.
        source: paper and section.
        run: from a context, and settings by keyword, to the student's predictions for
            ``strong_train``, ``validation`` and ``test``; or, if it ``prepares``, to
            the context in which the next method works.
        prepares: whether another method follows: ``name+other`` names the two, and
            ``name`` alone stands for ``name+naive``.
        classes: the one number of classes it is for; None for any.
        needs: what a study may be unable to provide (see `NEEDS`).
        no_truth_with: the settings with which it sees no ground truth after all; empty where none
            change that.
        loss: the name of the loss, of a method that only finetunes with a loss.
        variants: the references under which ``all`` has it, if not under its name.
        usual: gives the usual settings, where they are not keywords of ``run``.
        check_settings: raises UserError for settings that ``run`` would refuse.
        check_given: raises UserError where a study has too little data for it: called with a
            `Given` of each task, and the settings.
        kinds: of the tasks it is for; by default those whose labels are probabilities.
        reads: whether its students have read texts without labels first (see
            `Context.after_reading`); their ceiling is then one that has read them too.
        same_gradient_as: the method whose loss has the same gradient, up to a factor that Adam
            hardly notices: comparisons count the two once.
        saliency: the bar of the saliency figure (Burns et al. 2023, figure 11) that its students
            are; None for none.
        trait: the trait of a task that its students' score is, since they learn no labels (see
            `weak2strong.analysis.traits`); None for none.
        uses: what of a context it makes use of; a step before it that changes nothing of that is
            refused, since it would do nothing.
        changes: what of a context it changes, if it ``prepares``; empty where that is not said.
        once: whether it takes the place of itself, named twice in a reference.
    """

    name: str
    summary: str
    source: str
    run: Callable[..., Any]
    prepares: bool = False
    classes: int | None = None
    needs: tuple[Need, ...] = ()
    no_truth_with: Mapping[str, Any] = field(default_factory=dict, hash=False)
    loss: str | None = None
    variants: tuple[str, ...] = ()
    usual: Callable[[], Mapping[str, Any]] | None = None
    check_settings: Callable[..., object] | None = None
    check_given: Callable[..., object] | None = None
    kinds: tuple[str, ...] = PROBABILISTIC
    reads: bool = False
    same_gradient_as: str | None = None
    saliency: Saliency | None = None
    trait: Trait | None = None
    uses: tuple[Part, ...] = EVERY_PART
    changes: tuple[Part, ...] = ()
    once: bool = False

    def __post_init__(self) -> None:
        for name in ("needs", "kinds", "variants", "uses", "changes"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.reads and not self.prepares:
            raise UserError(
                f"The method {self.name!r} says reads=True, and only a step can be one that reads: "
                "give it prepares=True too, or leave reads out."
            )
        for need in self.needs:
            if need not in NEEDS:
                raise unknown_name(f"need of the method {self.name!r}", need, NEEDS)
        for part in (*self.uses, *self.changes):
            if part not in EVERY_PART:
                raise unknown_name(f"part of the method {self.name!r}", part, EVERY_PART)
        for what, said, known in (
            ("saliency", self.saliency, get_args(Saliency)),
            ("trait", self.trait, get_args(Trait)),
        ):
            if said not in (None, *known):
                raise unknown_name(f"{what} of the method {self.name!r}", said, known)

    @property
    def oracle(self) -> bool:
        """Whether it sees ground truth, so that its students are no fair result."""
        return "truth" in self.needs

    @property
    def options(self) -> Mapping[str, Any]:
        """The settings that it takes, with their usual values."""
        if self.usual:
            return self.usual()
        parameters = inspect.signature(self.run).parameters.values()
        return {
            p.name: usual_value(p.default, p.annotation)
            for p in parameters
            if p.kind == p.KEYWORD_ONLY
        }

    def having(self, settings: Mapping[str, Any]) -> Method:
        """The method with these settings, which it no longer takes then."""
        check = self.check_given and partial(self.check_given, **settings)
        run = partial(self.run, **settings)
        made = replace(self, run=run, usual=lambda: {}, check_given=check)
        if not self.no_truth_with or not self.no_truth_with.items() <= settings.items():
            return made
        return replace(made, needs=tuple(need for need in self.needs if need != "truth"))

    @property
    def takes_more(self) -> bool:
        """Whether it takes settings besides its options, which `check_settings` then checks."""
        parameters = inspect.signature(self.run).parameters.values()
        return not self.usual and any(p.kind == p.VAR_KEYWORD for p in parameters)

    def check_kind(self, kind: str, task: str = "this task") -> None:
        """Refuse a kind of task that the method is not for.

        Raises:
            UserError: saying what it is for.
        """
        if kind in self.kinds:
            return
        why = f"is for tasks of kind {' or '.join(self.kinds)}, and {task} is of kind {kind}"
        if kind not in PROBABILISTIC and self.kinds == PROBABILISTIC:
            why = f"needs labels that are probabilities, and those of {task} are texts ({kind})"
        raise UserError(f"The method {self.name!r} {why}: leave the method out.")

    def check(self, classes: int, task: str = "this task") -> None:
        """Refuse a task with that many classes, if the method is not for it.

        Raises:
            UserError: saying how many it is for.
        """
        if self.classes not in (None, classes):
            raise UserError(
                f"The method {self.name!r} is for {self.classes} classes, and {task} has "
                f"{classes}: leave the method out (`w2s methods` lists the others)."
            )
