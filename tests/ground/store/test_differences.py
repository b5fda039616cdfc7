"""In what two specs differ, and which stored result is nearest to a spec."""

from pathlib import Path

from weak2strong.ground.store import Entry
from weak2strong.ground.store.differences import Difference, differences, nearest

ONE = {
    "fields": {"seed": 0, "training": {"epochs": 2, "rate": None}, "layers": [1, 2]},
    "inputs": {"weights": "a"},
    "code": "x",
}


def test_every_input_that_differs_is_named_with_both_values():
    other = {
        "fields": {"seed": 1, "training": {"epochs": 2}, "layers": (1, 3)},
        "inputs": {"weights": "a", "truth": "b"},
        "code": "y",
    }
    assert differences(ONE, other) == [
        Difference("fields.layers", [1, 2], [1, 3]),
        Difference("fields.seed", 0, 1),
        Difference("fields.training.rate", None, None),
        Difference("inputs.truth", None, "b"),
        Difference("code", "x", "y"),
    ]
    assert differences(ONE, ONE) == []


def test_code_is_told_by_its_pieces_and_what_only_moved_is_left_out():
    codes = ({"a: f": "1", "a: g": "2", "a: h": "3"}, {"b: f": "1", "a: g": "4", "a: i": "5"})
    assert differences(ONE, ONE | {"code": "y"}, codes) == [
        Difference("code.a: g", "2", "4"),
        Difference("code.a: h", "3", None),
        Difference("code.a: i", None, "5"),
    ]
    assert differences(ONE, ONE, codes) == []


def test_code_that_has_a_piece_twice_is_told_as_a_whole():
    codes = ({"a: f": "1", "b: f": "1"}, {"a: f": "1"})
    assert differences(ONE, ONE | {"code": "y"}, codes) == [Difference("code", "x", "y")]


def test_code_whose_pieces_are_not_known_is_told_as_a_whole():
    assert differences(ONE, ONE | {"code": "y"}, ({}, {"a: f": "1"})) == [
        Difference("code", "x", "y")
    ]


def test_the_nearest_entry_differs_least_and_is_the_newest_of_equal_ones():
    def entry(key, day, **fields):
        spec = ONE | {"fields": ONE["fields"] | fields}
        return Entry("finetune", key, Path(key), {"spec": spec, "written": f"2026-01-0{day}"})

    far = entry("far", 9, seed=5, layers=[7])
    old, new = entry("old", 1, seed=3), entry("new", 2, seed=4)
    assert nearest(ONE, [far, new, old]) is new
    assert nearest(ONE, [old, far]) is old
    assert nearest(ONE, []) is None
