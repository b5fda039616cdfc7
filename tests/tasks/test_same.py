"""What is the same is found exactly, whatever hashes say."""

import sys

from hypothesis import given
from hypothesis import strategies as st

from weak2strong.tasks.same import firsts, sets_of
from weak2strong.tasks.splits import normalised, union


class Clash(str):
    """A text with one of three hashes, so that different texts often have one hash."""

    __slots__ = ()

    def __hash__(self):
        return len(self) % 3

    def __eq__(self, other):
        return str(self) == str(other)


@given(st.lists(st.text("abA ", max_size=4).map(Clash), max_size=30))
def test_the_first_of_equal_things_is_found_also_where_hashes_clash(texts):
    def key(text):
        return Clash(text.lower())

    lowered = [text.lower() for text in texts]
    first = firsts(texts, key)
    assert first.tolist() == [lowered.index(text) for text in lowered]
    literal = [[i for i, t in enumerate(lowered) if t == text] for text in dict.fromkeys(lowered)]
    assert sets_of(first) == [same for same in literal if len(same) > 1]


def literally(text):
    return " ".join(text.casefold().split())


def test_every_space_is_normalised_as_by_the_rule():
    spaces = [c for c in map(chr, range(sys.maxunicode + 1)) if c.isspace()]
    assert [c for c in spaces if c.isprintable()] == [" "]
    for space in spaces:
        for text in (f"{space}A", f"A{space}b c", f"A  b{space}", f"A{space}{space}"):
            assert normalised(text) == literally(text)


@given(st.text(st.sampled_from(" \t\n\x1c\x85\u2028Aaßİ"), max_size=12))
def test_spaces_and_case_do_not_count(text):
    assert normalised(text) == literally(text)


@given(st.lists(st.tuples(*[st.sampled_from("abcdefgh")] * 2), max_size=12))
def test_a_name_leads_to_the_smallest_one_that_it_is_linked_with(links):
    linked = {name: {name} for name in "abcdefgh"}
    for one, other in links:
        both = linked[one] | linked[other]
        linked |= dict.fromkeys(both, both)
    root = union(links)
    assert {name: root(name) for name in linked} == {name: min(of) for name, of in linked.items()}
