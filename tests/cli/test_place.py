"""`w2s place`: sizes as users write them, what is printed, and one sentence for bad ones."""

import pytest

from weak2strong.cli import main
from weak2strong.cli.place import parameters
from weak2strong.report.place import short


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("500M", 5e8),
        ("7B", 7e9),
        ("7b", 7e9),
        ("1.3e9", 1.3e9),
        ("1300000000", 1.3e9),
        ("0.5B", 5e8),
        ("92k", 92e3),
        ("2T", 2e12),
        ("atlas-s", 237_888),
        ("Qwen/Qwen2.5-0.5B", 494_032_768),
    ],
)
def test_sizes_are_read_as_people_write_them(text, count):
    assert parameters(text) == pytest.approx(count)


def test_counts_are_shown_with_three_digits():
    shown = [short(x) for x in (237_888, 494_032_768, 999.9e6, 7.6156e9, 2e12, 12)]
    assert shown == ["238K", "494M", "1B", "7.62B", "2T", "12"]


def test_a_pair_is_placed_and_told_what_was_found_there(capsys):
    assert main(["place", "--weak", "500M", "--strong", "8B"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "weak 500M parameters, 10^-7.2 of GPT-4's compute" in shown
    assert "strong 8B parameters, 10^-4.8 of GPT-4's compute" in shown
    assert "gap 256 times the compute, 2.4 orders of magnitude: medium on an axis of 7" in shown
    assert "GPT-4's size is not public" in shown
    assert "almost never above 20%, even at small gaps (section 4.2, figure 3)" in shown
    assert "nearly 80%" not in shown


@pytest.mark.parametrize(
    ("weak", "strong", "who"),
    [
        ("atlas-s", "atlas-l", "Both models are"),
        ("openai-community/gpt2", "8B", "The weak model is"),
        ("7B", "20T", "The strong model is"),
    ],
)
def test_off_the_axis_there_is_a_gap_and_no_finding(weak, strong, who, capsys):
    assert main(["place", "--weak", weak, "--strong", strong]) == 0
    shown = capsys.readouterr().out
    assert f"{who} outside of the range" in shown
    assert "times the compute" in shown
    assert "Found" not in shown


@pytest.mark.parametrize(
    ("weak", "strong", "sentence"),
    [
        ("7X", "8B", "'7X' is no size of a model: write its parameters, such as 500M"),
        ("0", "8B", "'0' is no size"),
        ("1e999", "8B", "'1e999' is no size"),
        ("nan", "8B", "'nan' is no size"),
        ("500M", "qwen/qwen2.5-8B", "Unknown model 'qwen/qwen2.5-8B': the nearest are"),
        ("8B", "500M", "The strong model, 500M, must be larger than the weak one, 8B."),
        ("8B", "8e9", "The strong model, 8e9, must be larger"),
    ],
)
def test_a_bad_size_is_one_sentence_and_exit_code_2(weak, strong, sentence, capsys):
    assert main(["place", "--weak", weak, "--strong", strong]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    assert line.startswith(f"error: {sentence}")
