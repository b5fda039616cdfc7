"""`w2s doctor`: whether this machine is fit for studies, and what to do where it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from weak2strong.cli.printing import Printing
from weak2strong.cli.store import Root
from weak2strong.ground.rooms import Purpose


@dataclass(frozen=True)
class Doctor(Printing):
    """Look at what a study depends on here, and say what to do.

    Device, driver, memory, precision, kernels, cache, token, store and packages: a line each, with
    what to do. Nothing is asked of a network, and no token is shown.
    """

    purpose: ClassVar[Purpose] = Purpose.CARE

    store: Root = None

    def __call__(self) -> None:
        """Print what was found."""
        from weak2strong.engine.doctor.examine import examine
        from weak2strong.report.doctor import doctor_document

        self.show(doctor_document(examine(self.store)))
