"""The state of a training in one safetensors file, renamed into place.

Weights and optimiser state are tensors; everything else is JSON in the file's header. Nothing is
pickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn


def save_checkpoint(
    path: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    notes: Mapping[str, Any],
    more: Mapping[str, Tensor] | None = None,
) -> None:
    """Write trained weights, optimiser state, notes (that JSON holds exactly), and tensors."""
    tensors = {f"more.{name}": value for name, value in (more or {}).items()}
    for name, p in _trained(network):
        tensors[f"weight.{name}"] = p.detach()
        for key, value in optimizer.state[p].items():
            tensors[f"state.{key}.{name}"] = value
    # Copies, since tensors that share memory cannot be written.
    tensors = {name: value.detach().cpu().clone() for name, value in tensors.items()}
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata={"notes": json.dumps(notes)})
    partial.replace(path)


def load_checkpoint(
    path: Path, network: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
    """Put weights and optimiser state back.

    Returns:
        The notes and further tensors; None where there is no file yet.
    """
    if not path.exists():
        return None
    with safe_open(path, framework="pt") as saved, torch.no_grad():
        names = list(saved.keys())
        state = [n.split(".", 2) for n in names if n.startswith("state.")]
        for name, p in _trained(network):
            p.copy_(saved.get_tensor(f"weight.{name}"))
            optimizer.state[p] = {
                key: saved.get_tensor(f"state.{key}.{name}").to(p.device)
                for _, key, parameter in state
                if parameter == name
            }
        notes = json.loads(saved.metadata()["notes"])
        more = {n.removeprefix("more."): saved.get_tensor(n) for n in names if n[:5] == "more."}
    return notes, more


def _trained(network: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """Weights that are not frozen, by name; frozen ones are loaded from the model again."""
    return [(name, p) for name, p in network.named_parameters() if p.requires_grad]
