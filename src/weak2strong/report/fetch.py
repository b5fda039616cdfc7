"""What is fetched from the hub, as a table."""

from __future__ import annotations

from weak2strong.engine.fetch import FetchPlan
from weak2strong.ground.table import DASH, Column, Document, Row, Table, count, words
from weak2strong.report.units import size

HERE = "needs nothing of the hub"


def fetch_document(plan: FetchPlan, fetched: bool) -> Document:
    """A row a repository and commit, then what needs nothing of the hub.

    Args:
        plan: what is wanted.
        fetched: whether all of it is here now.
    """
    rows = [
        {
            "kind": download.of.what,
            "name": download.of.name,
            "revision": download.of.revision,
            "commit": download.of.commit,
            "files": len(download.sizes),
            "bytes": download.bytes,
            "bytes_missing": download.bytes_missing,
        }
        for download in plan.downloads
    ]
    none = dict.fromkeys(("revision", "commit", "files", "bytes"))
    rows += [
        {"kind": what, "name": name, **none, "bytes_missing": 0, "here": True}
        for what, name in plan.here
    ]
    columns = [
        words("kind", ""),
        words("name"),
        Column(
            "commit", "commit", lambda row: row["commit"][:12] if row["commit"] else HERE, "left"
        ),
        count("files"),
        _bytes("bytes", "size"),
        _bytes("bytes_missing", "to fetch"),
    ]
    where = f"cache of the hub: {plan.folder}"
    told = f"To fetch: {size(plan.bytes)}. Free on that disk: {size(plan.free)}."
    if fetched:
        done = f"Fetched {size(plan.bytes)}." if plan.bytes else "Everything was here."
        told = f"{done} With HF_HUB_OFFLINE=1 nothing asks the network any more."
    facts = {
        "bytes_missing": plan.bytes,
        "free": plan.free,
        "cache": plan.folder,
        "fetched": fetched,
    }
    return Document([Table("downloads", "", columns, rows)], facts, [where], [told])


def _commit(row: Row) -> str:
    return row["commit"][:12] if row["commit"] else HERE


def _bytes(name: str, title: str) -> Column:
    return Column(name, title, lambda row: DASH if row[name] is None else size(row[name]))
