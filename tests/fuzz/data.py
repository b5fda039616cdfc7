"""Data of each kind in each format, for the groups that need some: rows, and files of them."""

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

Row = dict[str, Any]

WORDS = ("river", "house", "bird", "Quito", "morning", "blue", "seven", "sings", "under", "paper")
ODD = (
    *(
        "café",
        "Ω≈ç√",
        "日本語",
        "🙂🙂",
        "a\u0301b",
        "שלום",
        "\u202eabc",
        "na\u00a0me",
        "\u200bzero",
    ),
    *('say "so"', "it's", "a, b; c", "tab\there", "two\nlines", "back\\slash", "<b>", "{x}", "%s"),
    *("=1+1", "#NAME?", "NaN", "null", "None", "true", "-", "0.0", "1e400", "\u2028next", "\x7f"),
)
"""Words that some formats or templates treat apart, and that must come back as they were."""

CLASSES = (
    *(("yes", "no"), ("0", "1"), (0, 1), (True, False), ("1", "2", "3"), (1, 2, 5)),
    *(("N/A", "none"), ("α", "β"), ("a b", "a-c"), (10, 20), ("-1", "1"), ("true", "false")),
)
"""Labels that are classes, two or more each."""

FORMATS = ("csv", "tsv", "jsonl", "json", "columns.json", "parquet", "arrow", "feather", "ndjson")
SEALED = ("gz", "bz2", "xz", "zip")
"""Packings with a checksum."""


@dataclass(frozen=True)
class Data:
    """Rows of one kind.

    Attributes:
        kind: classification, preference or generation.
        rows: whole ones.
        text: the column with the text or the prompt.
        answer: the column with what is to be found out.
    """

    kind: str
    rows: list[Row]
    text: str
    answer: str


def text(rng: Random, number: int) -> str:
    """A text of some words that no other number has; every third has an odd word."""
    words = [*rng.choices(WORDS, k=rng.randint(3, 9)), f"n{number}"]
    if rng.random() < 0.3:
        words.insert(rng.randrange(1, len(words)), rng.choice(ODD))
    return " ".join(words)


def data(rng: Random, kind: str | None = None, count: int | None = None) -> Data:
    """Whole rows of a kind, 40 to 90 of them."""
    kind = kind or rng.choice(("classification", "classification", "preference", "generation"))
    n = count or rng.randint(40, 90)
    if kind == "classification":
        classes = rng.choice(CLASSES)
        rows = [{"text": text(rng, i), "label": classes[i % len(classes)]} for i in range(n)]
        return Data(kind, rows, "text", "label")
    if kind == "preference":
        made = [
            {"prompt": text(rng, i), "chosen": f"good {text(rng, i)}", "rejected": f"bad {i}"}
            for i in range(n)
        ]
        return Data(kind, made, "prompt", "chosen")
    rows = [{"prompt": text(rng, i), "target": f"{rng.choice(WORDS)} {i % 7}"} for i in range(n)]
    return Data(kind, rows, "prompt", "target")


def write(path: Path, rows: Sequence[Row]) -> Path:
    """Rows as the ending of a path says, packed where it says so, too."""
    path.write_bytes(packed(path.name, written(path.name, rows)))
    return path


def written(name: str, rows: Sequence[Row]) -> bytes:
    """Rows in the format that a name says."""
    parts = name.split(".")[1:]
    kind = parts[-2] if parts[-1] in ("gz", "bz2", "xz", "zip", "zst") else parts[-1]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    if kind in ("csv", "tsv"):
        stream = io.StringIO()
        writer = csv.writer(stream, delimiter="\t" if kind == "tsv" else ",")
        writer.writerow(columns)
        writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
        return stream.getvalue().encode("utf-8", "surrogatepass")
    if kind in ("jsonl", "ndjson"):
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    if parts[-2:] == ["columns", "json"] or "columns" in parts:
        return json.dumps({c: [row.get(c) for row in rows] for c in columns}).encode()
    if kind == "json":
        return json.dumps(list(rows)).encode()
    return _in_columns(kind, rows, columns)


def _in_columns(kind: str, rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table({column: [row.get(column) for row in rows] for column in columns})
    sink = io.BytesIO()
    if kind == "parquet":
        parquet.write_table(table, sink)
        return sink.getvalue()
    new = pa.ipc.new_file if kind == "feather" else pa.ipc.new_stream
    with new(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (list, dict)) else "" if value is None else value


def packed(name: str, content: bytes) -> bytes:
    """Content packed as the last ending of a name says."""
    end = name.rpartition(".")[2]
    pack: dict[str, Callable[[bytes], bytes]] = {
        "gz": lambda content: gzip.compress(content, mtime=0),
        "bz2": bz2.compress,
        "xz": lzma.compress,
        "zst": _zst,
        "zip": lambda content: zipped([(name.removesuffix(".zip"), content)]),
    }
    return pack[end](content) if end in pack else content


def _zst(content: bytes) -> bytes:
    import pyarrow as pa

    return pa.Codec("zstd").compress(content, asbytes=True)


def zipped(files: Sequence[tuple[str, bytes]]) -> bytes:
    """An archive of files, whose names may be the same."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return sink.getvalue()


def file_name(rng: Random, stem: str = "data") -> str:
    """A name with a format, and often a packing."""
    ending = rng.choice(FORMATS)
    packing = rng.choice(("", "", "", "", ".gz", ".bz2", ".xz", ".zip", ".zst"))
    return f"{stem}.{ending}{packing}"


def damaged(rng: Random, content: bytes) -> tuple[str, bytes]:
    """What was done to some bytes, and what they are then."""
    at = rng.randrange(len(content))
    some = bytes(rng.randrange(256) for _ in range(rng.choice((1, 8, 64))))
    return rng.choice(
        [
            (f"cut after {at} bytes", content[:at]),
            (f"bit flipped in byte {at}", _flipped(content, at, 1 << rng.randrange(8))),
            (f"byte {at} is another", _flipped(content, at, rng.randrange(1, 256))),
            (f"{len(some)} bytes more at {at}", content[:at] + some + content[at:]),
            (f"{len(some)} bytes more at the end", content + some),
            (f"zeros from byte {at}", content[:at] + bytes(len(content) - at)),
            (f"without the first {at + 1} bytes", content[at + 1 :]),
            (f"without the bytes {at} to {at + 9}", content[:at] + content[at + 9 :]),
        ]
    )


def _flipped(content: bytes, at: int, bits: int) -> bytes:
    return content[:at] + bytes([content[at] ^ bits]) + content[at + 1 :]
