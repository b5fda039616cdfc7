"""Which pretrained model, as the user names it, and how it is adapted."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from weak2strong.ground.errors import UserError

Adaptation = Literal["auto", "full", "lora", "head"]
Precision = Literal["auto", "float32", "bfloat16"]
Pooling = Literal["auto", "last", "mean", "cls"]
HeadStart = Literal["random", "zero", "answers"]
Checkpointing = Literal["auto", "on", "off"]


@dataclass(frozen=True)
class ModelSpec:
    """A pretrained model, and how it is adapted to a task.

    Raises:
        UserError: for a setting that cannot be right.
    """

    name: str
    """A rung of the embedded ladder, a local folder, or a hub id."""
    revision: str | None = None
    """Branch, tag or commit of a hub id."""
    adaptation: Adaptation = "auto"
    """What is trained: all weights, low-rank adapters of all linear layers and the
    head, or the head alone; ``auto`` is full up to a billion parameters, LoRA above."""
    lora_rank: int = 16
    """Rank of the adapters."""
    lora_alpha: int = 32
    """Their scale times the rank."""
    precision: Precision = "auto"
    """Of the arithmetic, and of weights that are not trained; ``auto`` is bfloat16
    where the hardware is fast at it. Trained weights are float32 in any case."""
    pooling: Pooling = "auto"
    """Which state the head reads: of the last token, the mean, or of the first one;
    ``auto`` is the last token of a decoder, the mean of an encoder."""
    head_start: HeadStart = "random"
    """Initial weights of the head: small and random, zero, or the model's own output
    weights of the ``answers``."""
    answers: tuple[str, ...] = ()
    """One token a class, such as ``(" no", " yes")``, for ``head_start: answers``."""
    checkpointing: Checkpointing = "auto"
    """Compute activations twice to save memory; ``auto`` does it where it has to."""
    trust_remote_code: bool = False
    """Run code that comes with a model of the hub: only from makers whom you trust."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "answers", tuple(self.answers))
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise UserError(
                    f"Model {self.name}: {name} must be one of {', '.join(choices)}, "
                    f"not {getattr(self, name)!r}."
                )
        for name in ("lora_rank", "lora_alpha"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise UserError(f"Model {self.name}: {name} must be at least 1, not {value!r}.")
        if bool(self.answers) != (self.head_start == "answers"):
            raise UserError(
                f"Model {self.name}: answers and head_start: answers belong together, "
                "so give both or neither."
            )

    @property
    def settings(self) -> dict[str, Any]:
        """All that changes a result besides the weights, for keys."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        for name in ("name", "revision", "checkpointing", "trust_remote_code"):
            del plain[name]
        if self.adaptation != "lora":
            del plain["lora_rank"], plain["lora_alpha"]
        return plain

    @classmethod
    def parse(cls, text: str) -> ModelSpec:
        """The model that a text names: a rung, a folder, or a hub id with ``@revision``.

        A folder whose own name has an ``@`` wins.

        Raises:
            UserError: where nothing stands before or after the ``@``.
        """
        name, at, revision = text.rpartition("@")
        is_path = text.startswith((".", "/", "~"))
        if not at or _is_folder(text) or (is_path and not _is_folder(name)):
            return cls(text)
        if not name or not revision:
            raise UserError(f"{text!r} is no model: write owner/name@revision, or owner/name.")
        return cls(name, revision)


def _is_folder(name: str) -> bool:
    return Path(name).expanduser().is_dir()


_CHOICES = {
    "adaptation": get_args(Adaptation),
    "precision": get_args(Precision),
    "pooling": get_args(Pooling),
    "head_start": get_args(HeadStart),
    "checkpointing": get_args(Checkpointing),
}
