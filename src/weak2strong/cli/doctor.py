"""`w2s doctor`: whether this machine is fit for studies, and what to do where it is not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from weak2strong.cli.printing import Printing


@dataclass(frozen=True)
class Doctor(Printing):
    """Look at device, driver, memory, precision, kernels, cache, token, store and packages.

    A line each, with what to do. Nothing is asked of a network, and no token is shown.
    """

    store: Path | None = None
    """Root of the store; ~/.cache/weak2strong by default, or $W2S_STORE."""

    def __call__(self) -> None:
        """Print what was found."""
        from weak2strong.engine.doctor.examine import examine
        from weak2strong.report.doctor import doctor_document

        self.show(doctor_document(examine(self.store)))
