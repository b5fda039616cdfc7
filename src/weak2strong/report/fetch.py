"""What is fetched from the hub, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from weak2strong.engine.fetch import FetchPlan, holds_adapters
from weak2strong.ground.table import Column, Document, Row, Table, count, words
from weak2strong.report.units import size, size_column

HERE = "needs nothing of the hub"


def fetch_document(plan: FetchPlan, folders: Sequence[Path] = ()) -> Document:
    """A row a repository and commit, then what needs nothing of the hub.

    Args:
        plan: what is wanted.
        folders: where the files of each repository are, once they have been fetched.
    """
    fetched = len(folders) == len(plan.downloads)
    rows: list[dict[str, Any]] = [
        {
            "kind": download.of.what,
            "name": download.of.name,
            "revision": download.of.revision,
            "commit": download.of.commit,
            "files": len(download.sizes),
            "bytes": download.bytes,
            "bytes_missing": download.bytes_missing,
            "folder": folder,
        }
        for download, folder in zip_longest(plan.downloads, folders)
    ]
    none = dict.fromkeys(("revision", "commit", "files", "bytes"))
    rows += [
        {"kind": what, "name": name, **none, "bytes_missing": 0, "folder": None}
        for what, name in plan.here
    ]
    columns = [
        words("kind", ""),
        words("name"),
        Column("commit", "commit", _commit, "left"),
        count("files"),
        size_column("bytes", "size"),
        size_column("bytes_missing", "to fetch"),
    ]
    where = f"cache of the hub: {plan.folder}"
    notes = [f"To fetch: {size(plan.bytes)}. Free on that disk: {size(plan.free)}."]
    if fetched:
        done = f"Fetched {size(plan.bytes)}." if plan.bytes else "Everything was here."
        notes = [f"{done} With HF_HUB_OFFLINE=1 nothing asks the network any more."]
        notes += [
            f"{download.of.name} holds adapters: name this folder as the model: {folder}"
            for download, folder in zip(plan.downloads, folders, strict=True)
            if holds_adapters(download)
        ]
    facts = {
        "bytes_missing": plan.bytes,
        "free": plan.free,
        "cache": plan.folder,
        "fetched": fetched,
    }
    return Document([Table("downloads", "", columns, rows)], facts, [where], notes)


def _commit(row: Row) -> str:
    return row["commit"][:12] if row["commit"] else HERE
