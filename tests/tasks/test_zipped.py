"""Files packed by zip are read as those packed by gzip are, and may hold parts of one table."""

import io
import zipfile

import pytest

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.files import file_task
from weak2strong.tasks.find import find_task
from weak2strong.tasks.opening import Reading
from weak2strong.tasks.reading import read_table

CSV = "text,label\n" + "".join(f"text {i},{i % 2}\n" for i in range(40))


def part(first, count=20, ending="csv"):
    if ending == "jsonl":
        lines = (f'{{"text": "text {i}", "label": {i % 2}}}' for i in range(first, first + count))
        return "\n".join(lines)
    return "text,label\n" + "".join(f"text {i},{i % 2}\n" for i in range(first, first + count))


def zipped(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


@pytest.mark.parametrize("name", ["d.zip", "d.csv.zip", "D.ZIP"])
@pytest.mark.parametrize(
    "files",
    [
        {"d.csv": CSV},
        {"in/d.csv": CSV, "__MACOSX/in/._d.csv": "x", "in/.DS_Store": "x", "in/README.md": "x"},
        {"a/part-1.csv": part(0), "a/part-2.csv": part(20), "a/part-3.csv": "text,label\n"},
    ],
)
def test_one_file_or_several_parts(tmp_path, name, files):
    path, plain = tmp_path / name, tmp_path / "d.csv"
    path.write_bytes(zipped(files))
    plain.write_text(CSV)
    options = DataOptions(near_duplicates=False)
    task, unpacked = file_task(path, options), file_task(plain, options)
    assert task.load() == unpacked.load()
    assert task.name.lower() == "d"
    assert [row.number for row in task.rows] == [*range(1, 41)]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_as_pandas_and_others_pack(tmp_path, compression):
    path = tmp_path / "d.jsonl.zip"
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("d", part(0, 40, "jsonl"))
    assert len(file_task(path, DataOptions(near_duplicates=False)).rows) == 40


def test_rows_are_counted_through_all_parts():
    bad = "text,label\ngood,0\na,1,2,3\n"
    table = read_table("d.zip", zipped({"1.csv": bad, "2.csv": bad}))
    assert [number for number, _ in table.rows] == [1, 3]
    assert [number for number, _ in table.malformed] == [2, 4]


def refused(files, name="d.zip", **reading):
    with pytest.raises(UserError) as error:
        read_table(name, files if isinstance(files, bytes) else zipped(files), Reading(**reading))
    return str(error.value)


def test_what_is_no_table_is_refused():
    assert refused({"train.csv": CSV, "test.csv": CSV}) == (
        "d.zip holds several splits (test.csv, train.csv): unpack it into a folder, and name that."
    )
    assert refused({"a.csv": CSV, "b.jsonl": "{}"}) == (
        "d.zip holds several forms of data (a.csv, b.jsonl): unpack it, and name one."
    )
    nothing = "d.zip holds no file that ends in .jsonl"
    assert refused({"a.txt": CSV}).startswith(nothing)
    assert refused({"e.csv.zip": zipped({"e.csv": CSV})}).startswith(nothing)
    assert refused({".a.csv": CSV}) == "d.zip holds no file: zip one, or name another file."
    packed = zipped({"d.csv": CSV})
    assert "by zip, which its name does not say: call it d.csv.zip" in refused(packed, "d.csv")


def test_a_broken_archive_is_refused():
    packed = zipped({"d.csv": CSV})
    spoilt = packed[:60] + bytes(b ^ 255 for b in packed[60:80]) + packed[80:]
    for content in (packed[:-30], b"PK\x03\x04", spoilt):
        assert "check that it is a whole zip file without a password" in refused(content)
    flagged = bytearray(packed)
    for place in (6, packed.index(b"PK\x01\x02") + 8):
        flagged[place] |= 1
    assert "password" in refused(bytes(flagged)).partition("):")[0]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for content in (CSV, part(0)):
            archive.writestr("d.csv", content)
    for name in ("d.zip", "d.csv.zip"):
        said = refused(stream.getvalue(), name)
        assert said.startswith(f"{name} holds two files that are called d.csv: unpack it")


def test_all_parts_together_keep_to_the_limit():
    content = zipped({"1.csv": CSV, "2.csv": CSV})
    assert "holds more than" in refused(content, unpacked=2 * len(CSV) - 1)
    assert len(read_table("d.zip", content, Reading(unpacked=2 * len(CSV))).rows) == 80


def test_three_files_may_be_zipped(tmp_path):
    names = []
    for i, name in enumerate(("a.zip", "b.zip", "c.zip")):
        (tmp_path / name).write_bytes(zipped({"1.csv": part(200 * i), "2.csv": part(200 * i + 20)}))
        names.append(str(tmp_path / name))
    task = find_task(",".join(names), DataOptions(near_duplicates=False))
    assert len(task.load()) == 120
