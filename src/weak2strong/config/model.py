"""Which pretrained model, as the user names it, and how it is adapted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from weak2strong.config.fields import (
    NO_FLAG,
    AutoCount,
    Count,
    Day,
    Flag,
    Json,
    Name,
    Text,
    TextOrFile,
    Texts,
    is_folder,
    several,
)
from weak2strong.config.settings import RefusedError, from_mapping, settings, shortened
from weak2strong.ground.errors import UserError

Adaptation = Literal["auto", "full", "lora", "head", "knn"]
Precision = Literal["auto", "float32", "bfloat16", "4bit"]
Pooling = Literal["auto", "last", "mean", "cls"]
HeadStart = Literal["random", "zero", "answers", "own"]
HeadStates = Literal["auto", "scaled", "raw"]
Checkpointing = Literal["auto", "on", "off"]
Packing = Literal["auto", "on", "off"]
TrainedWeights = Literal["float32", "bfloat16"]
OptimizerStates = Literal["float32", "8-bit"]

CHAT_DATE = "2024-07-26"
"""The date that the first template which writes one, Llama 3.1's, has where it knows no other."""

READING = ("max_length", "system_prompt", "chat_template_kwargs", "chat_date")
"""Settings of what a model reads of a text."""

OF_TEXTS = (*READING, "answers", "packing")
"""Settings that mean nothing where tasks have no words."""

NOT_OF_TEMPLATES = frozenset(
    (
        "add_generation_prompt",
        "chat_template",
        "continue_final_message",
        "conversation",
        "max_length",
        "messages",
        "padding",
        "raise_exception",
        "return_assistant_tokens_mask",
        "return_dict",
        "return_tensors",
        "sanitize_control_tokens",
        "strftime_now",
        "tokenize",
        "tokenizer_kwargs",
        "truncation",
    )
)
"""What Transformers' writing of chats takes that is no variable of a template's own."""


@settings("a model", told_by="name")
class ModelSpec:
    """A pretrained model, and how it is adapted to a task."""

    name: Annotated[Name, NO_FLAG]
    """A rung of the embedded ladder, a local folder, or a hub id."""
    revision: Annotated[Text | None, NO_FLAG] = None
    """Branch, tag or commit of a hub id."""
    adaptation: Annotated[Adaptation, Flag(each=True)] = "auto"
    """What is trained: all weights, low-rank adapters of all linear layers and the head, or the
    head alone; auto is full up to a billion parameters, LoRA above. Of a supervisor also knn:
    nothing is trained, and it answers by the nearest examples of its ground truth."""
    k: Annotated[Count, Flag(role="weak")] = 50
    """Neighbours of a supervisor whose adaptation is knn."""
    lora_rank: Count = 16
    """Rank of the adapters."""
    lora_alpha: Count = 32
    """Scale of the adapters times their rank."""
    precision: Annotated[Precision, Flag(each=True, both=True)] = "auto"
    """Precision of the arithmetic, and of weights that are not trained; auto is bfloat16 where the
    hardware is fast at it. 4bit: the arithmetic as by auto, and linear layers rounded to 4 bits
    (NF4), beneath LoRA or a head."""
    trained_weights: TrainedWeights = "float32"
    """What weights are kept in that are trained as a whole: float32, or bfloat16, rounded at random
    after each step, which takes half of the memory. Adapters and heads are float32 in any case."""
    optimizer_states: OptimizerStates = "float32"
    """What AdamW's two moments are kept in: float32, or 8 bits, which takes a quarter of the
    memory."""
    pooling: Pooling = "auto"
    """Which state the head reads: of the last token, the mean, or of the first token; auto is the
    last token of a decoder, the mean of an encoder."""
    head_start: HeadStart = "random"
    """Initial weights of the head: small and random, zero, the model's own output weights of the
    answers, or its own last layer (own: models of images whose classes are the task's). A decoder's
    head has no bias, but where the answers' weights come with one."""
    head_states: HeadStates = "auto"
    """What the head reads: states divided by their size (root mean square) over the first training
    texts, so that one rate suits models whose states differ in size (scaled), or as they are
    (raw), as Transformers' classes do; auto is scaled, but raw where the head starts from
    answers or the model's own last layer."""
    answers: Annotated[Texts, Flag(metavar="TOKEN ...")] = ()
    """One token a class, such as " no" and " yes", where the head starts from answers."""
    checkpointing: Checkpointing = "auto"
    """Compute activations twice to save memory; auto does it where it has to."""
    packing: Packing = "auto"
    """Pass texts one after another in a row, without padding; auto does it on a GPU that has
    attention for texts of any length, and on a CPU where the model is not tiny. Numbers differ by
    rounding only."""
    max_length: Annotated[AutoCount, Flag(metavar="auto|N", each=True, both=True)] = "auto"
    """How many tokens of a text a model reads at most, where it has positions for them; auto is
    what the data need, up to 1,024 or more where that takes little memory (the table of the splits
    tells it)."""
    system_prompt: Annotated[TextOrFile | None, Flag(metavar="TEXT|FILE", each=True, both=True)] = (
        None
    )
    """What stands as the system turn before chats that have none of their own."""
    chat_template_kwargs: Annotated[Json | None, Flag(metavar="JSON", each=True, both=True)] = None
    """Values for variables of the model's chat template, such as '{"enable_thinking": false}'."""
    chat_date: Annotated[Day, Flag(metavar="DATE")] = CHAT_DATE
    """The day that chat templates write as today, so that a model reads the same on every day."""
    gpus_per_fit: Annotated[AutoCount, Flag(metavar="auto|N", each=True, both=True)] = "auto"
    """On how many GPUs a fit of this model is, each with a part of its weights; auto is as
    many as they need, and one where they fit it. Without a GPU these are as many processes, to try
    it."""
    trust_remote_code: bool = False
    """Run code that comes with a model of the hub: only from makers whom you trust."""

    def __post_init__(self) -> None:
        if bool(self.answers) != (self.head_start == "answers"):
            raise RefusedError(
                "answers and head_start: answers belong together, so give both or neither."
            )
        if self.trained_weights == "bfloat16" and self.precision == "float32":
            raise RefusedError(
                "trained_weights and precision: weights of bfloat16 are computed with in bfloat16, "
                "so leave precision at auto."
            )
        if self.precision == "4bit" and self.adaptation == "full":
            raise RefusedError(
                "precision and adaptation: weights of 4 bits cannot be trained themselves, so "
                "choose adaptation lora or head."
            )
        if self.precision == "4bit" and self.trained_weights != "float32":
            raise RefusedError(
                "trained_weights and precision: no model of 4 bits is trained as a whole, so leave "
                "trained_weights out."
            )
        for name in json.loads(self.chat_template_kwargs or "{}"):
            if name in NOT_OF_TEMPLATES:
                raise RefusedError(
                    f"chat_template_kwargs: {name} is no variable of a chat template's own, and is "
                    "not yours to set: leave it out."
                )

    @property
    def is_trained(self) -> bool:
        """Whether anything of it is trained."""
        return self.adaptation != "knn"

    @property
    def settings(self) -> dict[str, Any]:
        """All that changes a result besides the weights, for keys."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        for name in ("name", "revision", "checkpointing", "gpus_per_fit"):
            del plain[name]
        if self.packing == "auto":
            # Then it follows from the device and the libraries.
            del plain["packing"]
        if self.trained_weights == "float32" or self.adaptation != "full":
            del plain["trained_weights"]
        if self.optimizer_states == "float32":
            del plain["optimizer_states"]
        for f in fields(self):
            # A model that is read as before has the key that it had.
            if f.name in READING and plain[f.name] == f.default:
                del plain[f.name]
        if not self.trust_remote_code:
            del plain["trust_remote_code"]
        if self.adaptation != "lora":
            del plain["lora_rank"], plain["lora_alpha"]
        if self.is_trained:
            del plain["k"]
        return plain

    @classmethod
    def parse(cls, text: str) -> ModelSpec:
        """The model that a text names: a rung, a folder, or a hub id with ``@revision``.

        A folder whose own name has an ``@`` wins.

        Raises:
            UserError: where nothing stands before or after the ``@``.
        """
        try:
            return cls(*_parts(text))
        except RefusedError as e:
            raise UserError(str(e)) from None


class Unnamed(ModelSpec):
    """The model of a study that names none: it has the usual name until the tasks are known.

    It equals the model of that name, and is written as that: so a study that was resolved, and one
    that was read from a file, name their models.
    """

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ModelSpec) and vars(self) == vars(other)

    __hash__ = ModelSpec.__hash__

    def named(self, name: str | None = None) -> ModelSpec:
        """The same settings of a model that is named: another one, or the one that it stands for.

        Args:
            name: of another model.
        """
        settings: dict[str, Any] = vars(self) | {"name": name or self.name}
        return ModelSpec(**settings)


def _parts(text: str) -> tuple[str, str | None]:
    """Name and revision."""
    name, at, revision = text.rpartition("@")
    is_path = text.startswith((".", "/", "~"))
    if not at or is_folder(text) or (is_path and not is_folder(name)):
        return text, None
    if not name or not revision:
        raise RefusedError(f"{text!r} is no model: write owner/name@revision, or owner/name.")
    return name, revision


def _named(value: Any) -> Any:
    """A model may be its name alone."""
    if isinstance(value, str):
        return dict(zip(("name", "revision"), _parts(value), strict=True))
    if not isinstance(value, ModelSpec | Mapping):
        raise RefusedError(f"must be a name or a mapping of settings, not {shortened(value)}.")
    return value


# Of checks before others the last is the first.
Model = Annotated[ModelSpec, from_mapping(ModelSpec), BeforeValidator(_named)]
"""A model as a user may write it: its name, or its settings."""
Models = Annotated[tuple[Model, ...], several]
