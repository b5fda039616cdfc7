"""What a benchmark asks of its own process."""

import platform
import resource


def peak_bytes() -> int:
    """The most memory in bytes that this process has taken."""
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
