"""Whether the nodes of a cluster have the same source of this package as who drives them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import weak2strong
from weak2strong.ground.errors import UserError


@cache
def code_digest() -> str:
    """The digest of the source of this package in this process."""
    root, sha = Path(weak2strong.__file__).parent, hashlib.sha256()
    for file in sorted(root.rglob("*.py")):
        sha.update(f"{file.relative_to(root).as_posix()}\0".encode() + file.read_bytes() + b"\0")
    return sha.hexdigest()


def check_code(digest: str) -> None:
    """Refuse a node with other source, whose results would have other keys.

    Raises:
        UserError: for such a node.
    """
    if digest != code_digest():
        raise UserError(
            "A node of the Ray cluster has another state of weak2strong than this machine: install "
            f"the same one ({weak2strong.__version__}, or the same checkout) on all nodes."
        )
