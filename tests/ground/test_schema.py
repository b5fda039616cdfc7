"""A reader takes a table or a JSON file that has what it goes by, and says what else is wrong."""

import io

import polars as pl
import pytest

from weak2strong.ground.schema import columns, read_json, read_table
from weak2strong.ground.store.sealed import DamageError

COLUMNS = columns(text="task", whole="seed", number="score", flag="oracle", numbers="p", texts="t")
ROW = {"task": "a", "seed": 0, "score": 0.5, "oracle": True, "p": [0.5], "t": ["x"]}


def parquet(row) -> bytes:
    """One row as a parquet file."""
    file = io.BytesIO()
    pl.DataFrame([row]).write_parquet(file)
    return file.getvalue()


def test_a_table_may_have_more_columns_and_none_of_another_kind():
    table = read_table("t", parquet(ROW | {"more": 1}), COLUMNS)
    assert table.row(0, named=True) == ROW | {"more": 1}
    read_table("t", parquet(ROW | {"score": 1}), COLUMNS)
    read_table("t", parquet(ROW | {"score": None}), COLUMNS)
    for name, value in {
        "task": 1,
        "seed": 0.5,
        "oracle": 1,
        "p": 0.5,
        "t": [1],
        "score": "b",
    }.items():
        with pytest.raises(DamageError, match=f"other values in column '{name}'"):
            read_table("t", parquet(ROW | {name: value}), COLUMNS)


def test_a_column_may_be_optional():
    bare = parquet({"task": "a"})
    need, may = columns(text="task"), columns(whole="seed")
    assert read_table("t", bare, need, may).columns == ["task"]
    with pytest.raises(DamageError, match="no column 'seed'"):
        read_table("t", bare, need | may)
    with pytest.raises(DamageError, match="column 'seed'"):
        read_table("t", parquet({"task": "a", "seed": "b"}), need, may)


def test_a_part_of_a_table_is_no_table():
    whole = parquet(ROW)
    for at in range(len(whole)):
        with pytest.raises(DamageError, match="t is no parquet file, or a part of one"):
            read_table("t", whole[:at], COLUMNS)


FORM = [{"name": str, "seed": (int, type(None)), "classes": [str], "more": {}}]
ENTRY = '{"name": "a", "seed": null, "classes": ["b"], "more": {"x": 1}, "else": 0}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"[{ENTRY}]", None),
        ("[]", None),
        (f"[{ENTRY}", "not valid JSON"),
        ("", "not valid JSON"),
        ("{}", "it is no list"),
        (f"[{ENTRY}, 1]", "entry 2 is no object"),
        (f"[{ENTRY.replace('name', 'nome')}]", "entry 1 has no 'name'"),
        (f"[{ENTRY.replace('null', 'true')}]", "'seed' of entry 1 has another kind"),
        (f"[{ENTRY.replace('null', '0.5')}]", "'seed' of entry 1 has another kind"),
        (f"[{ENTRY.replace('[', '').replace(']', '')}]", "'classes' of entry 1 is no list"),
    ],
)
def test_json_is_read_in_its_form_only(text, said):
    if said is None:
        assert read_json("j", text.encode(), FORM) is not None
        return
    with pytest.raises(DamageError, match=f"^j is not .*{said}|^j is {said}"):
        read_json("j", text.encode(), FORM)
