"""Objects of JSON in which a key stands twice, of which parsers keep the last value."""

import json

import pytest

from weak2strong.ground.errors import UserError
from weak2strong.tasks.objects import read_objects
from weak2strong.tasks.opening import USUAL

GOOD = ['{"text": "a", "label": 0}', '{"text": "b", "label": 1}']
BAD = '{"text": "c", "label": 0, "text": "d"}'
WITHIN = '{"text": "c", "label": 0, "more": [{"a": 1, "a": 2}]}'


@pytest.mark.parametrize(("bad", "key"), [(BAD, "text"), (WITHIN, "a")])
@pytest.mark.parametrize("form", ["lines", "lines of .json", "list"])
def test_a_key_that_stands_twice_makes_a_row_malformed(form, bad, key):
    rows = [GOOD[0], bad, GOOD[1]]
    content = f"[{', '.join(rows)}]" if form == "list" else "\n".join(rows)
    table = read_objects("d.json", content.encode(), USUAL, lines=form == "lines")
    assert table.malformed == [(2, f"has the key {key!r} twice")]
    assert list(table.rows) == [(1, json.loads(GOOD[0])), (3, json.loads(GOOD[1]))]


def test_an_object_of_columns_with_a_key_twice_is_refused():
    content = b'{"text": ["a", "b"],\n "label": [0, 1], "label": [1, 0]}'
    with pytest.raises(UserError, match=r"^d.json has the key 'label' twice: keep one of the two"):
        read_objects("d.json", content, USUAL, lines=False)


def test_a_list_with_a_key_twice_that_breaks_later_names_the_broken_row():
    content = f"[{BAD}, {GOOD[0]}, nothing]".encode()
    with pytest.raises(UserError, match=r"^d.json, row 3 is no JSON"):
        read_objects("d.json", content, USUAL, lines=False)
