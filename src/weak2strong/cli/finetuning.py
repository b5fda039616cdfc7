"""The flags about how models are finetuned; a study as YAML has all settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import FlagCreatePairsOff, arg

if TYPE_CHECKING:
    from weak2strong.config.model import ModelSpec
    from weak2strong.config.study import StudyConfig

Number = Annotated[int | None, arg(metavar="N", help_behavior_hint="")]
Rate = Annotated[float | None, arg(metavar="RATE", help_behavior_hint="")]
Adaptation = Annotated[
    Literal["auto", "full", "lora", "head"] | None,
    arg(metavar="{auto,full,lora,head}", help_behavior_hint=""),
]


@dataclass(frozen=True)
class Finetuning:
    """How models are finetuned."""

    weak_adaptation: Adaptation = None
    """What of the supervisor is trained: all of it, LoRA adapters, or the head on a frozen
    trunk (default: auto, which is full, and LoRA above a billion parameters)."""
    strong_adaptation: Adaptation = None
    """What of students and ceiling is trained, likewise."""
    weak_lr: Rate = None
    """Peak learning rate of the supervisor, trunk and head."""
    strong_lr: Rate = None
    """Peak learning rate of students and ceiling, likewise."""
    epochs: Number = None
    """Passes over the training data, for every fit (default: 3)."""
    steps: Number = None
    """Optimiser steps of every fit, in place of epochs."""
    batch_size: Number = None
    """Examples of an optimiser step (default: 32)."""
    stopping: Annotated[
        Literal["none", "weak-validation", "oracle"] | None,
        arg(metavar="{none,weak-validation,oracle}", help_behavior_hint=""),
    ] = None
    """Keep the last weights of a student, or those that are best on weak labels of validation
    (default), or on its ground truth, which gives an upper bound and no fair result."""
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"] | None,
        arg(metavar="{auto,float32,bfloat16}", help_behavior_hint=""),
    ] = None
    """Of the arithmetic (default: auto, bfloat16 where the hardware is fast at it)."""
    trust_remote_code: FlagCreatePairsOff[Annotated[bool, arg(help_behavior_hint="")]] = False
    """Run code that comes with a model of the hub: only from makers whom you trust."""

    def changed(
        self,
        study: StudyConfig,
        weak: str | None,
        strong: str | None,
        intermediates: tuple[str, ...] | None = None,
        supervisors: tuple[str, ...] | None = None,
    ) -> StudyConfig:
        """A study with the models that were named, if any, and these settings.

        Intermediates are adapted as the student, further supervisors as the supervisor.
        """
        return replace(
            study,
            weak=self._model(study.weak, weak, self.weak_adaptation),
            strong=self._model(study.strong, strong, self.strong_adaptation),
            intermediates=self._several(study.intermediates, intermediates, self.strong_adaptation),
            supervisors=self._several(study.supervisors, supervisors, self.weak_adaptation),
            weak_training=replace(
                study.weak_training, **self._training(weak, self.weak_adaptation, self.weak_lr)
            ),
            strong_training=replace(
                study.strong_training,
                **self._training(strong, self.strong_adaptation, self.strong_lr),
            ),
        )

    def _model(
        self, model: ModelSpec | None, name: str | None, adaptation: str | None
    ) -> ModelSpec:
        """The model of that name, or the one given, with these settings."""
        from weak2strong.config.model import ModelSpec

        model = model if model and not name else ModelSpec.parse(name or "")
        given = {
            "adaptation": adaptation,
            "precision": self.precision,
            "trust_remote_code": self.trust_remote_code or None,
        }
        return replace(model, **_given(given))

    def _several(
        self,
        models: tuple[ModelSpec, ...] | None,
        names: tuple[str, ...] | None,
        adaptation: str | None,
    ) -> Any:
        """Models that were named, or else those of the study; None where it leaves them open."""
        if names is None:
            return models and tuple(self._model(model, None, adaptation) for model in models)
        return tuple(self._model(None, name, adaptation) for name in names)

    def _training(
        self, name: str | None, adaptation: str | None, rate: float | None
    ) -> dict[str, Any]:
        """The settings that change; another model, or another way, does not inherit a rate."""
        changes: dict[str, Any] = {}
        if name or adaptation or rate:
            changes = {"learning_rate": rate, "head_rate": None}
        given = {
            "epochs": self.epochs,
            "steps": self.steps,
            "batch_size": self.batch_size,
            "stopping": self.stopping,
        }
        return changes | _given(given)


def _given(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}
