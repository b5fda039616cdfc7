"""Which pretrained model, as the user names it, and where its files are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from weak2strong.errors import UserError, unknown_name
from weak2strong.store import folder_fingerprint

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

DEFAULT_RATES = (5e-5, 5e-5)
"""Peak rates of any other model: one for all, as usual for full finetuning of small models."""

TINY_BYTES = 64 * 2**20
"""A model whose files are smaller is finetuned on one thread, several at a time."""


@dataclass(frozen=True)
class ModelSpec:
    """A pretrained model.

    Attributes:
        name: a rung of the embedded ladder, a local folder, or a hub id.
        revision: branch, tag or commit of a hub id.
    """

    name: str
    revision: str | None = None

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
        return LADDER_RATES.get(Path(self.name).name, DEFAULT_RATES)

    @property
    def is_tiny(self) -> bool:
        """Whether one thread is the right number for a fit of this model."""
        if self.folder is None:
            return False
        return sum(f.stat().st_size for f in self.folder.glob("*.safetensors")) < TINY_BYTES


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
    if spec.folder is not None:
        if not (spec.folder / "config.json").exists():
            raise UserError(f"Model folder {spec.folder} has no config.json.")
        return _folder_fingerprint(spec.folder, _stamp(spec.folder))
    if "/" not in spec.name and spec.name.startswith("atlas"):
        raise unknown_name("model", spec.name, rungs())
    if spec.name.startswith((".", "/", "~")) or spec.name.count("/") > 1:
        raise UserError(f"Model folder {spec.name} does not exist.")
    return _hub_fingerprint(spec)


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
