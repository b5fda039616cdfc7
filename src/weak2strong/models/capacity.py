"""How much memory the devices of this machine have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weak2strong.ground.elsewhere import machine_bytes

if TYPE_CHECKING:
    import torch


def device_bytes(device: torch.device) -> int:
    """All memory of a device, used or not: of a GPU its own, of the CPU the machine's."""
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    if device.type == "mps":
        return torch.mps.recommended_max_memory()
    return machine_bytes()


def available_bytes() -> float:
    """The machine's memory that processes may still take, as far as the system tells."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            lines = dict(line.split(":", 1) for line in file)
        return 1024.0 * int(lines["MemAvailable"].split()[0])
    except (OSError, KeyError):
        return machine_bytes() / 2
