"""All that is looked at, in the order in which it is read."""

from __future__ import annotations

from pathlib import Path

from weak2strong.engine.doctor.finding import Finding
from weak2strong.engine.doctor.folders import folders
from weak2strong.engine.doctor.machine import machine
from weak2strong.engine.doctor.packages import packages


def examine(store: Path | None = None) -> list[Finding]:
    """What of this machine a study depends on; nothing is asked of a network.

    Args:
        store: root of the store; by default the user's, which is made where it is not there.
    """
    return [*machine(), *folders(store), *packages()]
