"""What other systems than POSIX lack or do otherwise, each in one place.

`tests/test_windows.py` walks the source for calls that Windows does not have; those that are made
where they are there ask for them first (``hasattr``).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import Any


def machine_bytes() -> int:
    """All memory of this machine."""
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    status = _MemoryStatus()
    status.length = ctypes.sizeof(status)
    windll: Any = ctypes.windll  # pyright: ignore[reportAttributeAccessIssue]
    if not windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        raise OSError("this system does not tell how much memory there is")
    return status.total


class _MemoryStatus(ctypes.Structure):
    """MEMORYSTATUSEX: two numbers of 32 bits, then seven of 64, of which the first is the total."""

    _fields_ = (
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        ("total", ctypes.c_uint64),
        ("rest", ctypes.c_uint64 * 6),
    )


def junctions() -> Callable[[str, str], None] | None:
    """What makes a link to a folder without a right to make links; None where there is no need.

    It is called with the folder and with the path of the link, which must not be there.
    """
    if os.name != "nt":
        return None
    import _winapi

    return _winapi.CreateJunction  # pyright: ignore[reportAttributeAccessIssue]
