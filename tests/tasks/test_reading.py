"""The same rows are read from every form of file, and what cannot be read is named."""

import bz2
import csv
import gzip
import io
import json
import lzma
import random

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from weak2strong.ground.errors import UserError
from weak2strong.tasks.opening import Reading
from weak2strong.tasks.reading import read_table

ROWS = [
    {"text": 'A "text",\nof two; lines', "label": "good"},
    {"text": "Köln\tand\u2028Łódź", "label": "bad"},
    {"text": "' 123 ", "label": "good"},
]
PLAIN = [{"text": "a tale", "label": "good"}, {"text": "a play", "label": "bad"}]
LISTS = {name: [row[name] for row in ROWS] for name in ("text", "label")}


def separated(rows=ROWS, **how):
    """As Python's module writes it."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), **how)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def lines(rows=ROWS):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def parquet(rows=ROWS, **how):
    buffer = io.BytesIO()
    pl.DataFrame(rows).write_parquet(buffer, **how)
    return buffer.getvalue()


def arrow(stream=True, rows=ROWS):
    buffer, table = io.BytesIO(), pa.Table.from_pylist(rows)
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    with make(buffer, table.schema) as writer:
        writer.write_table(table, 2)
    return buffer.getvalue()


def zstd(content):
    buffer = pa.BufferOutputStream()
    with pa.CompressedOutputStream(buffer, "zstd") as stream:
        stream.write(content)
    return buffer.getvalue().to_pybytes()


def twice(pack, text):
    """Two packed parts, one behind the other."""
    return pack(text[:30].encode()) + pack(text[30:].encode())


def numbered(values):
    return {str(i): value for i, value in enumerate(values)}


DICTIONARY = pa.Table.from_pylist(ROWS).cast(
    pa.schema({"text": pa.large_string(), "label": pa.dictionary(pa.int32(), pa.string())})
)


def dictionary():
    buffer = io.BytesIO()
    pq.write_table(DICTIONARY, buffer)
    return buffer.getvalue()


CSV, JSONL = separated(), lines()
FORMS = {
    "commas.csv": CSV,
    "commas quoted throughout.csv": separated(quoting=csv.QUOTE_ALL),
    "lines of Unix.csv": separated(lineterminator="\n"),
    "semicolons.csv": separated(delimiter=";"),
    "tabs that are called commas.csv": separated(delimiter="\t"),
    "tabs.tsv": separated(delimiter="\t"),
    "commas that are called tabs.tsv": CSV,
    "a separator that is named.csv": "sep=|\r\n" + separated(delimiter="|"),
    "UTF-8 with a mark.csv": CSV.encode("utf-8-sig"),
    "UTF-16 with a mark.csv": CSV.encode("utf-16"),
    "UTF-16 of the other order.tsv": b"\xfe\xff" + separated(delimiter="\t").encode("utf-16-be"),
    "UTF-32 with a mark.csv": CSV.encode("utf-32"),
    "blank lines.csv": "\r\n" + CSV.replace("\r\n", "\r\n\r\n") + ",\r\n\r\n",
    "commas at all ends.csv": CSV.replace("\r\n", ",\r\n").replace("text,label,", "text,label"),
    "packed.csv.gz": gzip.compress(CSV.encode()),
    "packed twice in one.csv.gz": twice(gzip.compress, CSV),
    "packed.csv.bz2": bz2.compress(CSV.encode()),
    "packed.TSV.XZ": lzma.compress(separated(delimiter="\t").encode()),
    "lines.jsonl": JSONL,
    "lines with a mark and blank ones.jsonl": "\ufeff" + JSONL.replace("\n", "\r\n\n"),
    "lines.ndjson": JSONL,
    "lines.json": JSONL,
    "UTF-16.jsonl": JSONL.encode("utf-16"),
    "packed.jsonl.zst": zstd(JSONL.encode()),
    "packed twice in one.jsonl.zst": twice(zstd, JSONL),
    "packed.json.gz": gzip.compress(json.dumps(ROWS).encode()),
    "list.json": json.dumps(ROWS, indent=2),
    "list.jsonl": json.dumps(ROWS),
    "columns.json": json.dumps(LISTS),
    "columns over lines.json": json.dumps(LISTS, indent=1),
    "columns by number, as of pandas.json": json.dumps({k: numbered(v) for k, v in LISTS.items()}),
    "rows by name.json": json.dumps({f"row {i}": row for i, row in enumerate(ROWS)}),
    "one list among facts.json": json.dumps({"version": "1.0", "tags": ["a"], "data": ROWS}),
    "split, as of pandas.json": json.dumps(
        {"columns": list(LISTS), "index": [0, 1, 2], "data": [list(row.values()) for row in ROWS]}
    ),
    "parquet.parquet": parquet(),
    "groups of rows.PARQUET": parquet(row_group_size=2),
    "packed inside.parquet": parquet(compression="zstd"),
    "classes in a dictionary.parquet": dictionary(),
    "stream, as of datasets.arrow": arrow(),
    "file.arrow": arrow(stream=False),
    "file.feather": arrow(stream=False),
}  # fmt: skip
"""Content by a name that says what it is."""


def read(name, content, **how):
    content = content if isinstance(content, bytes) else content.encode()
    return read_table(name, content, Reading(**how))


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same_rows(name):
    table = read(name, FORMS[name])
    assert [dict(row) for _, row in table.rows] == ROWS
    assert [number for number, _ in table.rows] == [1, 2, 3]
    assert table.columns == {"text": "text", "label": "text"}
    assert not table.malformed


def broken(content, dice):
    """The content with one or two changes: a byte, a gap, a sign of the format, an early end."""
    content = bytearray(content)
    for _ in range(dice.choice((1, 2))):
        place = dice.randrange(len(content) + 1)
        match dice.randrange(4):
            case 0:
                content[place : place + 1] = bytes([dice.randrange(256)])
            case 1:
                del content[place : place + dice.randrange(1, 9)]
            case 2:
                content[place:place] = dice.choice((b'"', b"\0", b",", b"\n", b"[", b"\xff"))
            case _:
                del content[place:]
    return bytes(content)


@pytest.mark.parametrize("name", FORMS)
def test_a_broken_file_is_read_or_refused_in_one_sentence(name):
    dice, content = random.Random(name), FORMS[name]
    content = content if isinstance(content, bytes) else content.encode()
    said = []
    for _ in range(20):
        try:
            read(name, broken(content, dice), unpacked=2**20)
        except UserError as e:
            said.append(str(e))
    assert said
    assert not any("\n" in one for one in said)


@pytest.mark.parametrize(("separator", "signs"), [(",", "\n\t"), (";", "\n\t"), ("\t", "")])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_what_python_writes_is_read_back(separator, signs, quoting):
    dice = random.Random(0)
    for _ in range(100):
        cells = ["".join(dice.choices("a\",; 'é" + signs, k=5)) + "." for _ in range(20)]
        rows = [{"text": a, "label": b} for a, b in zip(cells[::2], cells[1::2], strict=True)]
        table = read("a.csv", separated(rows, delimiter=separator, quoting=quoting))
        assert [dict(row) for _, row in table.rows] == rows


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16-le", "utf-8", "shift_jis"])
def test_an_encoding_that_is_named_is_taken(encoding):
    text = "text,label\nKöln,good\n" if encoding != "shift_jis" else "text,label\nケルン,good\n"
    table = read("a.csv", text.encode(encoding), encoding=encoding)
    assert [row["text"] for _, row in table.rows] == [text.splitlines()[1].partition(",")[0]]


def test_quotation_marks_in_tabs_may_be_characters_like_others():
    """As in CoLA or QQP: without quoting, and marks open and close in different rows."""
    content = 'text\tlabel\n"Hello, he said\tgood\nso be it"\tbad\n12" wide\tbad\n'
    table = read("a.tsv", content)
    assert [row["text"] for _, row in table.rows] == ['"Hello, he said', 'so be it"', '12" wide']
    assert table.form == "tab-separated text, UTF-8, without quotation marks"


def test_a_column_without_a_name_and_one_that_is_there_twice():
    assert list(read("a.csv", ",text,text\n0,a,b\n").columns) == ["", "text", "text.1"]
    # R writes the numbers of rows without a name above them.
    assert list(read("a.csv", '"text","label"\n"1","a","b"\n"2","c","d"\n').columns) == [
        "", "text", "label"
    ]  # fmt: skip


def test_a_long_text_is_one_field():
    """Longer than what Python's csv allows by default."""
    assert len(read("a.csv", f"text,label\n{'x' * 200_000},1\n").rows[0][1]["text"]) == 200_000


@pytest.mark.parametrize(
    ("name", "content", "malformed", "left"),
    [
        (
            "a.csv",
            "text,label\na,1\nb,2,3\nc,1\n",
            [(2, "has 3 fields and not 2 (line 3)")],
            [1, 3],
        ),
        ("a.csv", 'text,label\n"a\nb",1\n\nb,2,3\n', [(2, "has 3 fields and not 2 (line 5)")], [1]),
        ("a.jsonl", '{"text": "a"}\n["b"]\n{"text": "c"}', [(2, "is no JSON object")], [1, 3]),
        ("a.json", '[{"text": "a"}, 3]', [(2, "is no JSON object")], [1]),
        ("a.jsonl", '{"text": "a"}\n\n{"text": ', [(2, "is no JSON (Expecting value: l")], [1]),
        ("a.jsonl", '{"text": "a"}\n' + "[" * 99_999, [(2, "is no JSON (nested too deeply")], [1]),
    ],
)
def test_a_row_that_cannot_be_read_is_told_with_its_number(name, content, malformed, left):
    table = read(name, content)
    assert [number for number, _ in table.rows] == left
    for (number, reason), (n, begins) in zip(table.malformed, malformed, strict=True):
        assert (number, reason[: len(begins)]) == (n, begins)


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("a.csv", "text,label\nKöln,1\n".encode("latin-1"), "line 2 is not in UTF-8 (byte 0xf6)"),
        ("a.csv", "text,label\nKöln,1\n".encode("utf-16-le"), "say --encoding utf-16-le."),
        ("a.csv", "text,label\nKöln,1\n".encode("utf-16-be"), "say --encoding utf-16-be."),
        ("a.csv", 'text,label\na,1\n"b,2\nc,3\n', "a.csv, line 3 opens a quotation mark that"),
        ("a.json", '[{"text": "a"},\n{"text" "b"}]', "a.json, row 2 is no JSON (Expecting ':' del"),
        ("a.json", '{"train": [{"a": 1}], "test": [{"a": 1}, {"a": 2}]}', "neither columns of one"),
        ("a.csv.gz", b"text,label", "a.csv.gz cannot be read (Not a gzipped file"),
        ("a.csv.gz", gzip.compress(CSV.encode(), mtime=0)[:-9], "it is a whole gzip file."),
        ("a.csv.bz2", bz2.compress(CSV.encode())[:-9], "check that it is a whole bzip2 file."),
        ("a.csv.xz", lzma.compress(CSV.encode())[:-9], "check that it is a whole xz file."),
        ("a.csv.zst", b"text,label", "check that it is a whole zstandard file."),
        ("a.parquet", parquet()[:-9], "check that it is a parquet file."),
        ("a.arrow", arrow()[:-90], "check that it is a file of Arrow."),
        ("a.arrow", b"text,label", "check that it is a file of Arrow."),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(name, content, error):
    with pytest.raises(UserError) as caught:
        read(name, content)
    assert error in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstd])
def test_a_packed_file_is_unpacked_up_to_a_limit(pack):
    end = {gzip.compress: "gz", bz2.compress: "bz2", lzma.compress: "xz", zstd: "zst"}[pack]
    content = pack(b"text,label\n" + b"a,1\n" * 30_000)
    assert len(content) < 10_000
    assert len(read(f"a.csv.{end}", content, unpacked=2**17).rows) == 30_000
    with pytest.raises(UserError, match=r"than 6.10352e-05 GiB when it is unpacked: raise --unp"):
        read(f"a.csv.{end}", content, unpacked=2**16)


def test_columns_say_what_their_values_are():
    turns = [{"role": "user", "content": "Hi"}]
    shared = [{"from": "human", "value": "Hi"}]
    row = {
        "text": "a",
        "number": 1.5,
        "truth": True,
        "texts": ["a", "b"],
        "messages": turns,
        "list": [1, 2],
        "object": {"a": 1},
        "empty": None,
    }
    expected = {name: name for name in row}
    for name, content in (
        ("a.jsonl", lines([row, row | {"text": None}])),
        ("a.json", json.dumps([row])),
    ):
        assert read(name, content).columns == expected
    for name, content in (("a.parquet", parquet([row])), ("a.arrow", arrow(rows=[row]))):
        assert read(name, content).columns == expected
    other = read("a.jsonl", lines([{"a": shared, "b": []}, {"a": [], "b": 1}, {"b": "x", "c": ""}]))
    assert other.columns == {"a": "messages", "b": "mixed", "c": "empty"}


def features(**columns):
    return {b"huggingface": json.dumps({"info": {"features": columns}}).encode()}


@pytest.mark.parametrize("end", ["parquet", "arrow"])
def test_names_of_classes_come_from_the_metadata(end):
    schema = pa.schema({"text": pa.string(), "label": pa.int64()}).with_metadata(
        features(
            text={"dtype": "string", "_type": "Value"},
            label={"names": ["negative", "positive"], "_type": "ClassLabel"},
        )
    )
    table = pa.Table.from_pylist([{"text": "a", "label": 1}], schema)
    buffer = io.BytesIO()
    if end == "parquet":
        pq.write_table(table, buffer)
    else:
        with pa.ipc.new_stream(buffer, schema) as writer:
            writer.write_table(table)
    assert read(f"a.{end}", buffer.getvalue()).classes == {"label": ("negative", "positive")}


def test_of_a_parquet_file_only_the_wanted_columns_are_read():
    table = read_table("a.parquet", parquet(), check=lambda present: ["label"])
    assert [dict(row) for _, row in table.rows] == [{"label": row["label"]} for row in ROWS]
    assert set(table.columns) == {"text", "label"}
