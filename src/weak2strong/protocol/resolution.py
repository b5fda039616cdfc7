"""What looking up all that a study names comes to."""

from __future__ import annotations

from dataclasses import dataclass

from weak2strong.config.study import StudyConfig
from weak2strong.protocol.needs import LeftOut


@dataclass(frozen=True)
class Resolution:
    """What a study stands for, as far as that can be told without training anything.

    Attributes:
        config: the study with names and branches looked up; its trainings may lack rates (see
            `settle`).
        left_out: the methods that it cannot provide for.
        said: why its pair was taken, where it names none and its texts are the user's own.
        downloads: whether some of that pair is not on this machine.
    """

    config: StudyConfig
    left_out: LeftOut
    said: str = ""
    downloads: bool = False
