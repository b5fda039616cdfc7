"""The state of a training in safetensors files, which take its place whole.

Weights and optimiser state are tensors; everything else is JSON: in the file's header, or, where
several ranks write a file each, in an index beside them. Nothing is pickled. Whoever reads a
checkpoint takes the rows that it holds itself, so that a training may go on on another number of
ranks.

Each file has a digest of what it holds in its header, and an index one of its own: a damaged
checkpoint is as good as none.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from weak2strong.ground.store.sealed import DamageError, read_sealed, sealed
from weak2strong.ground.whole import write_whole
from weak2strong.models.ranks import ALONE, Ranks, own_part, own_rows


def save_checkpoint(
    path: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    notes: Mapping[str, Any],
    more: Mapping[str, Tensor] | None = None,
    ranks: Ranks = ALONE,
) -> None:
    """Write trained weights, optimiser state, notes (that JSON holds exactly), and tensors.

    Args:
        path: of the file. Several ranks write an index at the same path with the ending
            ``.json``, and a file each beside it.
        network: whatever is not frozen in it is written.
        optimizer: of its weights.
        notes: the same on every rank.
        more: further tensors by name.
        ranks: that hold the network together; all of them call this.
    """
    tensors = {f"more.{name}": value for name, value in (more or {}).items()}
    for name, p in _trained(network):
        tensors[f"weight.{name}"] = p.detach()
        for key, value in optimizer.state[p].items():
            tensors[f"state.{key}.{name}"] = value
    if ranks.several:
        _save_shards(path, tensors, notes, ranks)
        return
    # Copies, since tensors that share memory cannot be written.
    tensors = {name: value.detach().cpu().clone() for name, value in tensors.items()}
    partial = path.with_suffix(".partial")
    _save(tensors, partial, json.dumps(notes))
    partial.replace(path)
    _forget_shards(path)


def _save_shards(
    path: Path, tensors: Mapping[str, Tensor], notes: Mapping[str, Any], ranks: Ranks
) -> None:
    """Write the rows of this rank, and from the first rank an index of the files of all."""
    rows = {name: own_rows(value, ranks) for name, value in tensors.items()}
    # What every rank holds whole is written by the first.
    own = {name: r for name, r in rows.items() if r or ranks.rank == 0}
    kept = {name: own_part(tensors[name]).detach().cpu().clone() for name in own}
    tag = ranks.first(secrets.token_hex(4))
    file = f"{path.stem}-{tag}-{ranks.rank + 1}-of-{ranks.count}{path.suffix}"
    _save(kept, path.with_name(file))
    # Each rank's file is there before the index names it.
    shards = dict(ranks.gathered((file, own)))
    if ranks.rank == 0:
        # As a text, since notes may hold NaN, which nothing sealed does.
        index = {"notes": json.dumps(notes), "shards": shards}
        write_whole(_index(path), json.dumps(sealed(index)))
        path.unlink(missing_ok=True)
        _forget_shards(path, set(shards))
    ranks.gathered(None)


def _index(path: Path) -> Path:
    return path.with_suffix(".json")


def _forget_shards(path: Path, but: set[str] | None = None) -> None:
    """Remove files that ranks have written, but for some; without these, their index first."""
    if but is None:
        if not _index(path).exists():
            return
        _index(path).unlink()
    for file in path.parent.glob(f"{path.stem}-*-of-*{path.suffix}"):
        if file.name not in (but or ()):
            file.unlink(missing_ok=True)


def load_checkpoint(
    path: Path, network: nn.Module, optimizer: torch.optim.Optimizer, ranks: Ranks = ALONE
) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
    """Put weights and optimiser state back, whatever number of ranks they were written by.

    Returns:
        The notes and further tensors; None where there is no checkpoint yet, or one of other
        weights than these.
    """
    with ExitStack() as stack, torch.no_grad():
        saved = _opened(path, stack)
        trained = dict(_trained(network))
        if saved is None or not all(f"weight.{name}" in saved.parts for name in trained):
            return None
        for name, p in trained.items():
            saved.fill(f"weight.{name}", p, ranks)
        state = [n.split(".", 2) for n in saved.parts if n.startswith("state.")]
        for _, key, name in state:
            value = saved.like(f"state.{key}.{name}", trained[name], ranks)
            optimizer.state[trained[name]][key] = value.to(trained[name].device)
        more = {n.removeprefix("more."): n for n in saved.parts if n.startswith("more.")}
        return saved.notes, {n: saved.like(m, trained.get(n), ranks) for n, m in more.items()}


def holds(path: Path | None, ending: str) -> bool:
    """Whether a trained weight's name ends so in a checkpoint; it does where there is none yet."""
    with ExitStack() as stack:
        saved = _opened(path, stack) if path else None
        names = saved.parts if saved else [ending]
        return any(name.endswith(ending) for name in names)


@dataclass(frozen=True)
class _Part:
    """Rows of a tensor in an open file, from a number to another one; None for all of it."""

    file: Any
    name: str
    rows: tuple[int, int] | None

    def read(self, begin: int, end: int) -> Tensor:
        """Rows by their numbers in the tensor."""
        before = self.rows[0] if self.rows else 0
        return self.file.get_slice(self.name)[begin - before : end - before]


@dataclass(frozen=True)
class _Saved:
    """A checkpoint: its notes, and the parts of its tensors by their names."""

    notes: dict[str, Any]
    parts: Mapping[str, Sequence[_Part]]

    def whole(self, name: str) -> Tensor:
        """A whole tensor."""
        return torch.cat([p.file.get_tensor(name) for p in self.parts[name]])

    def fill(self, name: str, tensor: Tensor, ranks: Ranks) -> None:
        """Copy a tensor into one of the same shape, of which this rank holds some rows or all."""
        own, rows = own_part(tensor), own_rows(tensor, ranks)
        first, *others = self.parts[name]
        if rows is None and first.rows is None:
            own.copy_(first.file.get_tensor(name))
            return
        begin, end = rows or (0, len(own))
        for part in (first, *others):
            low, high = part.rows or (begin, end)
            low, high = max(begin, low), min(end, high)
            if low < high:
                own[low - begin : high - begin] = part.read(low, high)

    def like(self, name: str, weight: Tensor | None, ranks: Ranks) -> Tensor:
        """A tensor, cut over ranks as a weight is; one of another shape is not cut."""
        first, *_ = self.parts[name]
        if weight is None or (first.rows is None and own_rows(weight, ranks) is None):
            return first.file.get_tensor(name) if first.rows is None else self.whole(name)
        if not first.file.get_slice(name).get_shape():
            return first.file.get_tensor(name)
        made = torch.zeros_like(weight)
        self.fill(name, made, ranks)
        return made


def _opened(path: Path, stack: ExitStack) -> _Saved | None:
    """The checkpoint at a path, its files open as long as the stack; None for a damaged one.

    A machine that loses its power may leave such a one; the training then begins anew.
    """
    try:
        return _saved(path, stack)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError, DamageError):
        return None


def _save(tensors: Mapping[str, Tensor], path: Path, notes: str = "") -> None:
    """Write a file of tensors with a digest of them and of the notes."""
    digest = _digest(tensors, tensors.__getitem__, notes)
    save_file(dict(tensors), path, metadata={"notes": notes, "digest": digest})


def _open(path: Path, stack: ExitStack) -> Any:
    """A file of tensors, open as long as the stack.

    Raises:
        DamageError: where it holds something else than was written.
    """
    file = stack.enter_context(safe_open(path, framework="pt"))
    said = file.metadata()
    if _digest(file.keys(), file.get_tensor, said["notes"]) != said["digest"]:
        raise DamageError(f"{path.name} has another content than was written")
    return file


def _digest(names: Iterable[str], tensor: Callable[[str], Tensor], notes: str) -> str:
    """Of tensors, one after another by their names, and of notes."""
    sha = hashlib.sha256(notes.encode())
    for name in sorted(names):
        values = tensor(name).contiguous()
        sha.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        sha.update(values.reshape(-1).view(torch.uint8).numpy())  # pyright: ignore
    return sha.hexdigest()


def _saved(path: Path, stack: ExitStack) -> _Saved | None:
    if _index(path).exists():
        index, parts = read_sealed(_index(path)), defaultdict[str, list[_Part]](list)
        for file, names in index["shards"].items():
            shard = _open(path.with_name(file), stack)
            for name, rows in names.items():
                parts[name].append(_Part(shard, name, rows and tuple(rows)))
        return _Saved(json.loads(index["notes"]), parts)
    if not path.exists():
        return None
    file = _open(path, stack)
    notes, names = json.loads(file.metadata()["notes"]), list(file.keys())
    return _Saved(notes, {name: [_Part(file, name, None)] for name in names})


def _trained(network: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """Weights that are not frozen, by name; frozen ones are loaded from the model again."""
    return [(name, p) for name, p in network.named_parameters() if p.requires_grad]
