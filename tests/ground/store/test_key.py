"""Keys: equal work has equal keys, different work has different ones."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weak2strong.ground.errors import UserError
from weak2strong.ground.store import (
    canonical,
    digest,
    file_fingerprint,
    folder_fingerprint,
    stage_key,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    LEAVES | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@dataclasses.dataclass(frozen=True)
class Student:
    name: str
    rates: tuple[float, ...] = (0.1,)


def exactly(value):
    """A form in which values are equal only if their types are too (1, 1.0 and True differ)."""
    if isinstance(value, dict):
        return {name: exactly(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [exactly(inner) for inner in value]
    return type(value).__name__, repr(value)


def reversed_dicts(value):
    if isinstance(value, dict):
        return {name: reversed_dicts(value[name]) for name in reversed(value)}
    return [reversed_dicts(inner) for inner in value] if isinstance(value, list) else value


def test_canonical_is_sorted_json_without_whitespace_or_escapes():
    assert canonical({"b": (1, 1.0, True, None), "a": "Århus"}) == (
        '{"a":"Århus","b":[1,1.0,true,null]}'
    )


def test_digest_is_the_sha256_of_the_canonical_json():
    assert digest({"a": "é"}) == hashlib.sha256('{"a":"é"}'.encode()).hexdigest()


@given(VALUES)
def test_canonical_json_reads_back_as_the_value(value):
    assert exactly(json.loads(canonical(value))) == exactly(value)


@given(VALUES)
def test_order_of_dicts_never_changes_the_key(value):
    assert digest(reversed_dicts(value)) == digest(value)


@given(st.dictionaries(TEXT, VALUES, min_size=1, max_size=4), VALUES, st.data())
def test_any_changed_added_or_missing_field_changes_the_key(fields, value, data):
    name = data.draw(st.sampled_from(sorted(fields)) | TEXT)
    changed = fields | {name: value}
    same = name in fields and exactly(fields[name]) == exactly(value)
    assert (digest(changed) == digest(fields)) == same
    assert digest({n: v for n, v in changed.items() if n != name}) != digest(changed)


@pytest.mark.parametrize("values", [(1, 1.0, True, "1"), (0, 0.0, False, None, "", [], {})])
def test_values_that_python_takes_for_alike_have_keys_of_their_own(values):
    assert len({digest({"field": value}) for value in values}) == len(values)


def test_keys_do_not_depend_on_the_process():
    value = {f"name{i}": i / 7 for i in range(30)}
    code = f"from weak2strong.ground.store import digest; print(digest({value!r}))"
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    printed = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    assert printed.strip() == digest(value)


def test_a_dataclass_is_its_fields_and_every_field_counts():
    student = Student("rung-3", (0.1, 0.2))
    assert canonical([student]) == '[{"name":"rung-3","rates":[0.1,0.2]}]'
    assert digest(dataclasses.replace(student, rates=(0.2, 0.1))) != digest(student)


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (
            {"run": [Path("a")]},
            TypeError,
            r"the value\['run'\]\[0\] is a .*Path; a path",
        ),
        ({"seeds": {1, 2}}, TypeError, "sort it into a list"),
        ({1: "a"}, TypeError, "name 1, which is not a str"),
        (Student("a", (float("nan"),)), ValueError, r"the value.rates\[0\] is nan"),
        (float("-inf"), ValueError, "is -inf"),
        (np.float64(0.5), TypeError, "plain str, int or float"),
        (np.float32(0.5), TypeError, ".item"),
        (np.arange(3), TypeError, ".tolist"),
        (b"ab", TypeError, "builtins.bytes; it has no canonical form"),
        (Student, TypeError, "no canonical form"),
        ("\ud800", ValueError, "not Unicode"),
        ({"\ud800": 1}, ValueError, "not Unicode"),
    ],
)
def test_what_has_no_canonical_form_is_refused_by_place(value, error, said):
    with pytest.raises(error, match=said):
        canonical(value)


def test_a_value_that_holds_itself_is_refused():
    value: list = []
    value.append(value)
    with pytest.raises(ValueError, match="holds itself"):
        canonical(value)


STAGE = {
    "stage": "fit",
    "fields": {"rate": 0.1, "epochs": 2},
    "inputs": {"data": "d" * 64},
    "code": "c" * 64,
    "runtime": {"torch": "2.6", "threads": 1},
}


@pytest.mark.parametrize(
    "change",
    [
        {"stage": "predict"},
        {"fields": {"rate": 0.1, "epochs": 3}},
        {"fields": {"rate": 0.1}},
        {"inputs": {"data": "e" * 64}},
        {"inputs": {"weights": "d" * 64}},
        {"code": "d" * 64},
        {"runtime": {"torch": "2.6", "threads": 2}},
    ],
)
def test_stage_key_changes_with_each_of_its_parts(change):
    def key(parts):
        return stage_key(parts.pop("stage"), **parts)

    assert key(STAGE | change) != key(dict(STAGE))


def test_file_fingerprint_is_the_sha256_of_a_long_file(tmp_path):
    content = b"weak labels " * 100_000
    (tmp_path / "labels").write_bytes(content)
    assert file_fingerprint(tmp_path / "labels") == hashlib.sha256(content).hexdigest()


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    (folder / "heads").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "heads" / "weights").write_bytes(b"\0\1")
    return folder


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "config.json").write_text("[]"),
        lambda folder: (folder / "heads" / "weights").write_bytes(b"\0\2"),
        lambda folder: (folder / "config.json").rename(folder / "other.json"),
        lambda folder: (folder / "config.json").rename(folder / "heads" / "config.json"),
        lambda folder: (folder / "empty").touch(),
    ],
)
def test_folder_fingerprint_sees_names_and_contents(model, change):
    before = folder_fingerprint(model)
    change(model)
    assert folder_fingerprint(model) != before


def test_folder_fingerprint_ignores_hidden_files_and_its_own_place(model, tmp_path):
    before = folder_fingerprint(model)
    (model / ".cache").mkdir()
    (model / ".cache" / "lock").touch()
    (model / "heads" / ".DS_Store").touch()
    moved = model.rename(tmp_path / "moved")
    assert folder_fingerprint(moved) == before


def test_folder_fingerprint_reads_through_links_to_files(model, tmp_path):
    before = folder_fingerprint(model)
    (model / "config.json").rename(tmp_path / "blob")
    (model / "config.json").symlink_to(tmp_path / "blob")
    assert folder_fingerprint(model) == before
    (tmp_path / "blob").write_text("[]")
    assert folder_fingerprint(model) != before


def test_folders_that_cannot_be_read_whole_are_refused(model, tmp_path):
    for missing in (tmp_path / "none", model / "config.json"):
        with pytest.raises(UserError, match=f"Cannot read {missing} "):
            folder_fingerprint(missing)
    with pytest.raises(UserError, match="Cannot read"):
        file_fingerprint(model)
    (model / "linked").symlink_to(tmp_path)
    with pytest.raises(UserError, match="linked is a link to another folder"):
        folder_fingerprint(model)
    (model / "linked").unlink()
    (model / "dangling").symlink_to(tmp_path / "none")
    with pytest.raises(UserError, match=r"dangling .*No such file"):
        folder_fingerprint(model)
