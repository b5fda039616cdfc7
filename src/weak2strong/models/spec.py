"""Which pretrained model, as the user names it, how it is adapted, and where its files are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.ground.predictions import WRITTEN
from weak2strong.ground.store import folder_fingerprint
from weak2strong.tasks.task import Kind

LADDER = Path(__file__).parents[1] / "embedded" / "ladder"

LADDER_RATES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "atlas-xs": (1e-3, 3e-3),
        "atlas-s": (1e-3, 1e-2),
        "atlas-m": (3e-4, 3e-3),
        "atlas-l": (1e-4, 1e-2),
    }
)
"""Peak rates of trunk and head for the shipped rungs, chosen by the ceiling's validation score."""

DEFAULT_RATES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"full": (5e-5, 5e-5), "lora": (2e-4, 2e-4), "head": (1e-3, 1e-3)}
)
"""Peak rates of trunk and head of any other model, by adaptation: one for both, as is usual."""

TINY_BYTES = 64 * 2**20
"""A model whose files are smaller is finetuned on one thread, several at a time."""

LORA_ABOVE = 1_000_000_000
"""Parameters from which on adaptation ``auto`` takes LoRA."""

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

    def check_kind(self, kind: Kind) -> None:
        """Refuse a kind of task that the model or its settings cannot be for.

        Raises:
            UserError: for answers to start from where a task has no classes; where answers are
                written and the model is no decoder, or only a head would be trained.
        """
        if self.head_start == "answers" and kind == "preference":
            raise UserError(
                f"Model {self.name}: a preference task has one reward and no classes, so there "
                "are no answers to start the head from: choose another head_start."
            )
        if kind in WRITTEN:
            from weak2strong.models.language import check_writes

            check_writes(self)

    @property
    def settings(self) -> dict[str, Any]:
        """All that changes a result besides the weights, for keys."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        for name in ("name", "revision", "checkpointing", "trust_remote_code"):
            del plain[name]
        if self.adaptation != "lora":
            del plain["lora_rank"], plain["lora_alpha"]
        return plain

    def resolved(self) -> ModelSpec:
        """The same model with its adaptation decided, and at a commit where it is of the hub.

        Raises:
            UserError: where there is no such model (see `fingerprint`).
        """
        if self.folder is None:
            at = fingerprint(self).rpartition("@")[2]
            if at != self.revision:
                return replace(self, revision=at).resolved()
        if self.adaptation != "auto":
            return self
        # Counting takes what this module, which every command imports, should not.
        from weak2strong.models.needs import count, skeleton

        parameters = 0 if self.is_tiny else count(skeleton(self))
        return replace(self, adaptation=usual_adaptation(parameters))

    @classmethod
    def parse(cls, text: str) -> ModelSpec:
        """A model as the command line names it: a rung, a folder, or a hub id with ``@revision``.

        A folder whose own name has an ``@`` wins.

        Raises:
            UserError: where nothing stands before or after the ``@``, or a rung or a
                folder does.
        """
        name, at, revision = text.rpartition("@")
        is_path = text.startswith((".", "/", "~"))
        if not at or cls(text).folder is not None or (is_path and cls(name).folder is None):
            return cls(text)
        if not name or not revision:
            raise UserError(f"{text!r} is no model: write owner/name@revision, or owner/name.")
        if cls(name).folder is not None:
            raise UserError(f"Model {name} is local and has no revisions: leave @{revision} out.")
        return cls(name, revision)

    @property
    def folder(self) -> Path | None:
        """Where the files are, for a rung or a local folder; None for a hub id."""
        rung = LADDER / self.name
        if self.name in rungs():
            return rung
        path = Path(self.name).expanduser()
        return path if path.is_dir() else None

    @property
    def location(self) -> str:
        """What Transformers' ``from_pretrained`` is given."""
        return str(self.folder or self.name)

    @property
    def rates(self) -> tuple[float, float]:
        """Peak learning rates of trunk and head where the user gives none.

        A rung that the user built has a folder of the same name, and the same rates.
        """
        usual = DEFAULT_RATES["full" if self.adaptation == "auto" else self.adaptation]
        if self.adaptation not in ("auto", "full"):
            return usual
        return LADDER_RATES.get(Path(self.name).name, usual)

    @property
    def is_tiny(self) -> bool:
        """Whether one thread is the right number for a fit of this model."""
        if self.folder is None:
            return False
        return sum(f.stat().st_size for f in self.folder.glob("*.safetensors")) < TINY_BYTES


def usual_adaptation(parameters: int) -> Literal["full", "lora"]:
    """What ``auto`` is for a trunk of so many parameters."""
    return "lora" if parameters > LORA_ABOVE else "full"


_CHOICES = {
    "adaptation": get_args(Adaptation),
    "precision": get_args(Precision),
    "pooling": get_args(Pooling),
    "head_start": get_args(HeadStart),
    "checkpointing": get_args(Checkpointing),
}


@cache
def rungs() -> tuple[str, ...]:
    """Names of the shipped rungs, the smallest first."""
    folders = [f.parent for f in LADDER.glob("*/config.json")]
    return tuple(f.name for f in sorted(folders, key=_weight_bytes))


def _weight_bytes(folder: Path) -> int:
    return sum(f.stat().st_size for f in folder.glob("*.safetensors"))


def fingerprint(spec: ModelSpec) -> str:
    """What identifies the weights: a hash of the files, or the commit of a hub id.

    Also the place where a wrong name is noticed, before anything is trained.

    Raises:
        UserError: where the model is neither a rung, nor a folder, nor a hub id
            that can be fetched.
    """
    check_name(spec)
    if spec.folder is not None:
        return _folder_fingerprint(spec.folder, _stamp(spec.folder))
    return _hub_fingerprint(spec)


def check_name(spec: ModelSpec) -> None:
    """Refuse what is neither a rung, nor a folder with a model, nor can be a hub id.

    Raises:
        UserError: for such a name.
    """
    if spec.folder is not None:
        if not (spec.folder / "config.json").exists():
            raise UserError(f"Model folder {spec.folder} has no config.json.")
    elif "/" not in spec.name and spec.name.startswith("atlas"):
        raise unknown_name("model", spec.name, rungs())
    elif spec.name.startswith((".", "/", "~")) or spec.name.count("/") > 1:
        raise UserError(f"Model folder {spec.name} does not exist.")


@cache
def _folder_fingerprint(folder: Path, stamp: tuple) -> str:
    """Hashed anew only where sizes or times (the stamp) say that a file may have changed."""
    return folder_fingerprint(folder)


def _stamp(folder: Path) -> tuple:
    files = sorted(f for f in folder.rglob("*") if f.is_file())
    return tuple((str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files)


@cache
def _hub_fingerprint(spec: ModelSpec) -> str:
    """Name and commit of a hub id; the commit is looked up once a process."""
    # The other way round names are looked up there.
    from weak2strong.models.hub import commit

    return f"{spec.name}@{commit(spec)}"
