"""The way into a Ray cluster, or into one that is started on this machine."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from weak2strong.ground.errors import UserError, first_line

OBJECTS = 2**28
"""Bytes for objects in a cluster that is started here, whose workers use the user's store."""


def import_ray() -> Any:
    """The module of Ray.

    Raises:
        UserError: where it is not installed.
    """
    # It tells its makers about clusters that are started, unless the user decides otherwise.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        return import_module("ray")
    except ImportError as e:
        raise UserError(
            f"The engine ray takes the package ray ({first_line(e)}): install it with "
            "pip install 'weak2strong[ray]', or take --engine local."
        ) from e


@contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """Be a driver of a Ray cluster inside; a process that was one before stays one afterwards.

    Args:
        address: of the cluster, as HOST:PORT; ``auto`` for the one that this machine is part of;
            None for that of ``RAY_ADDRESS``, which Ray sets for its jobs, or else for one of this
            machine alone, which is started, and ended afterwards.

    Yields:
        The module of Ray.

    Raises:
        UserError: where there is no such cluster, or Ray is not installed.
    """
    ray = import_ray()
    if ray.is_initialized():
        yield ray
        return
    address = address or ("auto" if os.environ.get("RAY_ADDRESS") else "local")
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == "local":
        options |= {"include_dashboard": False, "object_store_memory": OBJECTS}
    try:
        try:
            ray.init(address=address, **options)
        except (ConnectionError, RuntimeError, ValueError, OSError) as e:
            raise UserError(
                f"No Ray cluster answers to this machine at the address {address} "
                f"({first_line(e)}): start one with `ray start --head` here, or join it with "
                "`ray start --address`, or leave --address out to start one for this run alone."
            ) from e
        yield ray
    finally:
        ray.shutdown()
