"""Consistency: pairs by name and sign, shares by a literal loop, and where they come from."""

import json
from collections import Counter
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from weak2strong.analysis import tested as run_tested
from weak2strong.analysis.analyses.consistency import consistency_rows, paired
from weak2strong.ground.errors import UserError
from weak2strong.report.figures.consistency import CONSISTENCY
from weak2strong.report.figures.style import method_styles, styled
from weak2strong.tasks import TASKS
from weak2strong.tasks.cleaning import example_of
from weak2strong.tasks.readers import Columns
from weak2strong.tasks.rows import read_rows
from weak2strong.tasks.splits import digest, make_splits

NAMES = np.array(["a", "b", "-a", "", "b", "c", "c", "c", "d"])


def test_pairs_are_told_by_name_and_sign():
    found = paired(NAMES)
    assert {relation: list(zip(*two, strict=True)) for relation, two in found.items()} == {
        "same": [(1, 4), (5, 6), (5, 7), (6, 7)],
        "opposite": [(0, 2)],
    }
    assert paired(np.array(["", "a"])) == {}


@pytest.fixture(scope="module")
def tested():
    """Sixty pairs of each sort, answered by three seeds of each role."""
    rng = np.random.default_rng(0)
    names = [f"{sign}{i}" for i in range(60) for sign in ("", "-")]
    names += [f"s{i}" for i in range(60) for _ in range(2)]
    first = rng.integers(2, size=120)
    labels = np.stack([first, np.where(np.arange(120) < 60, 1 - first, first)], axis=1).ravel()

    def answers(skill):
        p = np.where(rng.random((3, 240)) < skill, labels, 1 - labels) * 0.8 + 0.1
        return np.stack([1 - p, p], axis=2)

    groups = np.repeat(np.arange(120), 2)
    roles = {"floor": answers(0.6), "ceiling": answers(0.9), "students": {"naive": answers(0.8)}}
    about = {"probe": None, "difficulty": None, "kind": "classification", "metric": "accuracy"}
    return run_tested.Tested(labels, groups, **roles, **about, pairs=np.array(names))


def test_shares_are_those_of_a_literal_loop(tested):
    rows = list(consistency_rows(tested))
    assert len(rows) == 2 * 3
    for row in rows:
        given = tested.given[row["role"], row["method"]]
        same, both, alone = [], [], []
        for of_seed in given:
            right = of_seed == tested.labels
            two = [
                (i, j)
                for i, j in combinations(range(240), 2)
                if tested.pairs[i].strip("-") == tested.pairs[j].strip("-")
                and (tested.pairs[i] == tested.pairs[j]) == (row["relation"] == "same")
            ]
            same += [(of_seed[i] == of_seed[j]) == (row["relation"] == "same") for i, j in two]
            both += [right[i] and right[j] for i, j in two]
            a, b = (np.mean([right[pair[k]] for pair in two]) for k in (0, 1))
            alone.append(a * b + (1 - a) * (1 - b))
        assert row["pairs"] == 60
        assert row["truth"] == 1
        assert row["consistent"] == pytest.approx(np.mean(same))
        assert row["both_right"] == pytest.approx(np.mean(both))
        assert row["if_independent"] == pytest.approx(np.mean(alone))
        assert row["consistent_low"] < row["consistent"] < row["consistent_high"]
        # Errors were drawn independently, so accuracy alone explains the consistency.
        assert row["consistent_low"] < row["if_independent"] < row["consistent_high"]


def test_more_than_two_classes_have_no_expectation(tested):
    three = np.eye(3)[np.arange(240)[None] % 3 * np.ones((3, 1), dtype=int)]
    roles = {"floor": three, "ceiling": three, "students": {}}
    about = {"probe": None, "difficulty": None, "kind": "classification", "metric": "accuracy"}
    answered = run_tested.Tested(tested.labels, tested.groups, **roles, **about, pairs=tested.pairs)
    assert {row["if_independent"] for row in consistency_rows(answered)} == {None}


def test_the_figure_has_a_bar_a_model(tested):
    frame = CONSISTENCY.data(SimpleNamespace(tested={"t": tested}, oracles=frozenset()))
    with styled():
        figure = CONSISTENCY.draw(frame, method_styles(["naive"]))
    for axes, relation in zip(figure.axes, ("same", "opposite"), strict=True):
        rows = frame.filter(relation=relation)
        assert [p.get_width() for p in axes.patches] == rows["consistent"].to_list()
        marks = [x.get_xdata()[0] for x in axes.lines if x.get_marker() == "|"]
        assert marks == rows["if_independent"].to_list()
    assert "ceiling" in CONSISTENCY.describe(frame).title
    assert CONSISTENCY.data(SimpleNamespace(tested={}, oracles=frozenset())) is None


def read(rows, name="data.jsonl"):
    content = "\n".join(json.dumps(row) for row in rows).encode()
    return read_rows({name: content}, Columns())


def test_a_pair_column_names_pairs_and_keeps_them_in_one_split():
    data = [
        {"text": f"text {i}", "label": i % 2, "pair": pair}
        for i, pair in enumerate([7, -7, None, "x", "x", 8])
    ]
    rows, _, account = read(data)
    examples = [example_of(row) for row in rows]
    assert [e.item.pair for e in examples] == ["7", "-7", "", "x", "x", "8"]
    assert examples[0].item.group == examples[1].item.group
    assert examples[3].item.group == examples[4].item.group
    assert len({e.item.group for e in examples}) == 4
    assert "pair" in str(account.read)
    # A column of groups goes first.
    grouped = [row | {"group": i} for i, row in enumerate(data)]
    content = "\n".join(map(json.dumps, grouped)).encode()
    rows, *_ = read_rows({"data.jsonl": content}, Columns(group="group"))
    assert [row.group for row in rows] == list("012345")


def test_a_pair_that_is_no_name_is_told():
    good = [{"text": f"text {i}", "label": i % 2, "pair": i} for i in range(3)]
    with pytest.raises(UserError, match=r"data\.jsonl, row 4 has .* in column 'pair'"):
        read([*good, {"text": "last", "label": 1, "pair": 1.5}])


def test_keys_know_pairs_and_items_without_any_have_the_key_of_before():
    (row, *_), *_ = read([{"text": f"t{i}", "label": i % 2, "pair": 3} for i in range(4)])
    example = example_of(row)
    (plain, *_), *_ = read([{"text": f"t{i}", "label": i % 2, "group": "g"} for i in range(4)])
    assert digest([example]) != digest([example_of(plain)])


@pytest.mark.parametrize(
    ("name", "opposed"),
    [("atlas-claim-continent-reworded", False), ("atlas-claim-continent-negated", True)],
)
def test_embedded_pairs_stand_in_one_split_and_tell_nothing_without_the_city(name, opposed):
    task = TASKS.get(name)
    examples = task.load()
    truth = {}
    for e in examples:
        truth.setdefault(e.item.pair.removeprefix("-"), []).append((e.item.pair[0] == "-", e.label))
    assert all(len(two) == 2 for two in truth.values())
    for (_, a), (sign, b) in map(sorted, truth.values()):
        assert sign == opposed
        assert (a != b) == opposed
    assert len({e.label for e in examples}) == 2
    counts = Counter(e.label for e in examples)
    assert counts[0] == counts[1]
    splits = make_splits(task)
    for split in ("weak_train", "strong_train", "validation", "test"):
        of_split = Counter(e.item.pair.removeprefix("-") for e in splits.examples(split))
        assert set(of_split.values()) == {2}
    # Every continent is claimed about as often truly as falsely, in each wording.
    claims = pl.DataFrame(
        [(e.item.text.split()[-3], e.item.pair[0], e.label) for e in examples],
        schema=["answer", "sign", "label"],
        orient="row",
    )
    for (_, sign), of in claims.group_by("answer", "sign"):
        assert abs(of["label"].mean() - 0.5) < 0.05 or len(of) < 40, sign
