"""What workers of `engines.py` do; a module of its own, so that they import nothing else."""

from collections.abc import Callable


def nothing(on_step: Callable[[int, int], None]) -> None:
    """Do nothing."""
