"""How much memory GPUs have, by name: for plans of machines that are not this one.

Sizes are those that their makers state; a driver keeps some of it, which the share that a training
may fill leaves room for (`weak2strong.models.needs.USABLE`). Whether products in bfloat16 are done
by the hardware follows from the architecture: NVIDIA's have had them since Ampere.
"""

from __future__ import annotations

from dataclasses import dataclass

from weak2strong.ground.errors import unknown_name


@dataclass(frozen=True)
class Gpu:
    """A GPU by its name.

    Attributes:
        gib: of memory.
        bfloat16: whether it multiplies in bfloat16.
    """

    gib: int
    bfloat16: bool = True

    @property
    def bytes(self) -> int:
        """Of memory."""
        return self.gib * 2**30


GPUS = {
    "t4": Gpu(16, bfloat16=False),
    "v100-16gb": Gpu(16, bfloat16=False),
    "v100-32gb": Gpu(32, bfloat16=False),
    "rtx-2080-ti": Gpu(11, bfloat16=False),
    "rtx-3060": Gpu(12),
    "rtx-3090": Gpu(24),
    "rtx-4080": Gpu(16),
    "rtx-4090": Gpu(24),
    "rtx-5090": Gpu(32),
    "a10": Gpu(24),
    "a40": Gpu(48),
    "a100-40gb": Gpu(40),
    "a100-80gb": Gpu(80),
    "l4": Gpu(24),
    "l40s": Gpu(48),
    "rtx-a6000": Gpu(48),
    "rtx-6000-ada": Gpu(48),
    "h100": Gpu(80),
    "h200": Gpu(141),
    "b200": Gpu(180),
}
"""By names that are short to write; letters may be large ones."""


def gpu_named(name: str) -> Gpu:
    """The GPU of a name.

    Raises:
        UserError: for a name that is not in the table; it lists those that are.
    """
    if (found := GPUS.get(name.lower())) is None:
        known = ", ".join(f"{n} ({gpu.gib} GiB)" for n, gpu in GPUS.items())
        raise unknown_name("GPU", name, tuple(GPUS), f"There are: {known}.")
    return found
