"""Whatever stands in a study file: a valid study comes of it, or one sentence for the user."""

import datetime
from dataclasses import fields, is_dataclass
from typing import get_type_hints

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from weak2strong.cli import main
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.text import MOST
from weak2strong.ground.errors import UserError
from weak2strong.protocol.resolve import checked


def paths(model, above=()):
    """The settings of a study, those of the models inside it included."""
    hints = get_type_hints(model)
    for f in fields(model):
        yield (*above, f.name)
        inner = hints[f.name]
        if is_dataclass(inner):
            yield from paths(inner, (*above, f.name))
    if not above:
        yield from ((role, 0, f.name) for role in SEVERAL for f in fields(ModelSpec))


SEVERAL = ("intermediates", "supervisors")
"""Settings that are lists of models."""

MODEL = [f.name for f in fields(ModelSpec)]

PATHS = list(paths(StudyConfig))

TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            *(
                "1e-3",
                "nan",
                ".inf",
                "~no-such-user/x",
                "a\0b",
                "\ud800",
                "x" * 5000,
                "atlas-s@v1",
                "@",
            ),
            *("naive:x=1", "naive+", "all", "below:1200", "easiest:2", "none.csv", "a,b,c", ""),
        ]
    ),
)

NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([10**400, -(10**400), 2**31, 10**4000, 0, 1]),
)

SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, st.binary(max_size=4), st.dates())

VALUES = st.recursive(
    st.one_of(
        SCALARS,
        st.datetimes(),
        st.sets(st.one_of(st.integers(), st.text(max_size=3)), max_size=2),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(st.text(max_size=4), st.integers(), st.none()), inner, max_size=2
        ),
    ),
    max_leaves=4,
)


def study_of(path, value):
    """A mapping with one setting in its place; a model has a name, too."""
    for name in reversed(path):
        value = [value] if name == 0 else {name: value}
        if name in MODEL:
            value = {"name": "atlas-s", **value}
    return value


def judged(text):
    """The study in a text, which survives being written, and the sentence of a refusal."""
    study, sentence = None, ""
    try:
        study = StudyConfig.from_yaml(text)
        checked(study)
    except UserError as e:
        sentence = str(e)
    assert "\n" not in sentence
    assert len(sentence) < 700 + 2 * len(text)
    assert study is None or StudyConfig.from_yaml(study.to_yaml()) == study
    return study, sentence


@settings(max_examples=100)
@given(st.sampled_from(PATHS), VALUES)
def test_any_value_of_any_setting_is_a_study_or_a_sentence(path, value):
    try:
        text = yaml.dump(study_of(path, value), Dumper=yaml.SafeDumper)
    except (yaml.YAMLError, ValueError):  # what no text can say
        return
    study, sentence = judged(text)
    assert study or sentence


@settings(max_examples=50)
@given(st.one_of(st.text(), st.binary(), st.text(alphabet="{}[],:-? &*!|>'\"%@`#\n abc12.~=<")))
@example("a: &a [*a]")
@example("&a {*a : 1}")
@example("<<: *a")
@example("!!python/object:os.system {}")
@example("!!timestamp foo")
@example("!!binary =")
@example("0o: 2020-13-45")
@example("[" * 3000)
@example("seeds: !!int ''")
@example("seeds: 1:30")
@example("=")
@example("tasks: 0b_")
@example("{}".encode("utf-16"))
@example("tasks: é".encode("latin-1"))
@example("\ufeffseeds: 3")
def test_any_text_is_a_study_or_a_sentence(text):
    judged(text)


def test_aliases_that_expand_without_bound_are_refused_at_once():
    rows = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 80)]
    merged = ["b0: &b0 {seeds: 1}"]
    merged += [f"b{i}: &b{i} {{<<: [*b{i - 1}, *b{i - 1}]}}" for i in range(1, 80)]
    for bomb in (rows, merged):
        with pytest.raises(UserError, match=f"at most {MOST} values, with aliases written out"):
            StudyConfig.from_yaml("\n".join(bomb))
    shared = "weak_training: &t {epochs: 7}\nstrong_training: *t\n"
    assert StudyConfig.from_yaml(shared).strong_training.epochs == 7


@pytest.mark.parametrize(
    ("text", "number"), [("1e-3", 1e-3), ("'1e-3'", 1e-3), ("1.0e-3", 1e-3), ("1", 1.0)]
)
def test_numbers_as_people_write_them(text, number):
    study = StudyConfig.from_yaml(f"weak_training: {{learning_rate: {text}}}")
    assert study.weak_training.learning_rate == number


@pytest.mark.parametrize("text", [".nan", ".inf", "-.inf", "nan", "inf", "1e999", "'-Infinity'"])
def test_a_number_is_finite(text):
    with pytest.raises(UserError, match=r"^weak_training.clip must be a finite number"):
        StudyConfig.from_yaml(f"weak_training: {{clip: {text}}}")


@pytest.mark.parametrize("name", ["x" * 300, "a/" + "é" * 128, "~no-such-user/x", "boolq=~x~/y"])
@pytest.mark.parametrize("setting", ["tasks", "weak", "weak_labels", "plugins"])
def test_names_that_no_file_can_have_are_refused(setting, name):
    with pytest.raises(UserError, match=rf"^{setting}(\[0\]|\.name)? must be a (name|path), and "):
        StudyConfig.from_yaml(yaml.safe_dump({setting: name}))


@pytest.mark.parametrize("content", ["tasks: &a [*a]", "seeds: {1: 2}", "tasks: [[atlas-asia]]"])
def test_the_command_says_the_sentence_and_exits_with_2(tmp_path, capsys, content):
    file = tmp_path / "study.yaml"
    file.write_text(content)
    assert main(["run", str(file)]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith(f"error: Study {file}: ")
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize(
    "content", ["seeds: 2".encode("utf-16"), "tasks: é".encode("latin-1"), b"\x80\x81"]
)
def test_bytes_that_are_no_utf_8_are_a_sentence(tmp_path, capsys, content):
    file = tmp_path / "study.yaml"
    file.write_bytes(content)
    assert main(["run", str(file)]) == 2
    assert "save it as UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize("error", [TypeError("of our own"), ValueError("of our own")])
@pytest.mark.parametrize(
    "place", ["weak2strong.protocol.resolve.find_tasks", "weak2strong.config.study.read_mapping"]
)
def test_a_bug_of_our_own_keeps_its_traceback(monkeypatch, tmp_path, capsys, place, error):
    def broken(*_):
        raise error

    monkeypatch.setattr(place, broken)
    file = tmp_path / "study.yaml"
    file.write_text("seeds: 1")
    assert main(["run", str(file), "--quiet", "--out", str(tmp_path / "run")]) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "of our own" in shown
    assert "internal error" in shown


def test_a_bug_in_a_check_of_a_value_is_no_fault_of_the_user(monkeypatch, tmp_path, capsys):
    def broken(_):
        raise ValueError("of our own")

    monkeypatch.setattr("weak2strong.config.model._parts", broken)
    with pytest.raises(ValueError, match="of our own"):
        StudyConfig.from_yaml("weak: atlas-s")


def test_values_are_told_as_they_stand():
    day = datetime.date(2020, 1, 1)
    with pytest.raises(UserError, match=r"^seeds must be a whole number, not 2020-01-01\.$"):
        StudyConfig.from_yaml(f"seeds: {day}")
