"""What a user can set of how a study is run; no number depends on it."""

from __future__ import annotations

from typing import Annotated

from weak2strong.config.fields import AutoCount, Flag
from weak2strong.config.settings import settings


@settings("the engine")
class EngineOptions:
    """For a machine with GPUs."""

    workers_per_gpu: Annotated[AutoCount, Flag(metavar="N|auto")] = "auto"
    """Processes that share a GPU, each of which does one step at a time. By default one at first,
    and more once every model was measured in its first training and memory has room."""
