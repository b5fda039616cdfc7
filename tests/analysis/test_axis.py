"""Places on the compute axis against numbers worked out by hand, and findings where they belong."""

import math

import pytest

from weak2strong.analysis.axis import FINDINGS, Pair, findings, position


@pytest.mark.parametrize(
    ("parameters", "fraction"),
    [(2e12, 1.0), (2e11, 1e-2), (2e10, 1e-4), (8e9, 1.6e-5), (0.5e9, 6.25e-8), (4e12, 4.0)],
)
def test_compute_is_the_square_of_the_share_of_parameters(parameters, fraction):
    assert 10 ** position(parameters) == pytest.approx(fraction)


def test_a_gap_is_the_square_of_the_ratio():
    """A 16 times larger model takes 256 times the compute: the pair of EleutherAI's post."""
    pair = Pair(0.5e9, 8e9)
    assert 10**pair.gap == pytest.approx(256)
    assert pair.gap == pytest.approx(pair.positions[1] - pair.positions[0])
    assert Pair(2.5e9, 40e9).gap == pytest.approx(pair.gap)


def test_the_axis_ends_seven_orders_below_gpt_4_with_room_for_its_unknown_size():
    """10^-7 is 2e12 / 10^3.5 = 632M parameters, and half of it if GPT-4 is half as large."""
    for weak, on in [(640e6, True), (320e6, True), (310e6, False)]:
        assert Pair(weak, 8e9).on_axis == (on, True)
    for strong, on in [(2e12, True), (3.9e12, True), (4.1e12, False)]:
        assert Pair(1e9, strong).on_axis == (True, on)


def told(weak, strong):
    return " | ".join(f"{f.setting}: {f.text}" for f in findings(Pair(weak, strong)))


ENDS, CLOSE, SMALL = (700e6, 2e12), (500e9, 2e12), (1e9, 3e9)


@pytest.mark.parametrize(
    ("words", "where"),
    [
        ("from about 25% to nearly 80%", {ENDS}),
        ("slightly worse than naive", {SMALL}),
        ("often above 50%", {ENDS, CLOSE}),
        ("near 0 for the smallest", {ENDS, SMALL}),
        ("above 40% at small gaps", {CLOSE}),
        ("overfit to the weak labels within one epoch", {ENDS}),
        ("about 10%, and almost never above 20%", {ENDS, CLOSE, SMALL}),
        ("more than 20% of the gap", {ENDS, CLOSE, SMALL}),
    ],
)
def test_findings_are_told_where_they_were_made(words, where):
    assert {pair for pair in (ENDS, CLOSE, SMALL) if words in told(*pair)} == where


def test_the_open_pair_is_told_of_its_like_only():
    assert "better on 16" in told(0.6e9, 8e9)
    assert "better on 16" not in told(0.6e9, 70e9)
    assert "better on 16" not in told(3e9, 8e9)


def test_nothing_was_found_off_the_axis():
    assert findings(Pair(237_888, 902_016)) == []
    assert findings(Pair(237_888, 8e9)) == []
    assert findings(Pair(8e9, 2e13)) == []


def test_every_finding_can_be_met_and_has_its_place_in_a_source():
    sizes = [10 ** (8.6 + i / 20) for i in range(75)]
    pairs = [Pair(w, s) for w in sizes for s in sizes if w < s]
    met = {f for pair in pairs for f in findings(pair)}
    assert met == set(FINDINGS)
    assert all("section" in f.source or f.source == "EleutherAI 2024" for f in FINDINGS)
    assert not any(math.isnan(x) for pair in pairs for x in pair.positions)
