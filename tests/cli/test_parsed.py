"""Words of a command line that are no command: one sentence that says which word and what to do."""

import pytest

import weak2strong
from weak2strong.cli import main
from weak2strong.cli.commands import every_command
from weak2strong.cli.parsed import flag_types, parsed, read_as
from weak2strong.ground.errors import UserError
from weak2strong.ground.rooms import Group


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("rnu", "Unknown command 'rnu': the nearest are run, runs. See: w2s --help."),
        ("tabel", "Unknown command 'tabel': did you mean table? See: w2s --help."),
        ("store siz", "Unknown command 'siz': did you mean sizes? See: w2s store --help."),
        ("run --sedes", "w2s run has no flag --sedes: did you mean --seeds? See: w2s run --help."),
        ("run -x", "w2s run has no flag -x: see: w2s run --help."),
        ("run a b", "w2s run has no use for 'b': leave it out, or see: w2s run --help."),
        ("run --seeds x", "--seeds must be a whole number, not 'x'."),
        ("run --seeds=1.5", "--seeds must be a whole number, not '1.5'."),
        (
            f"run --seeds {'1' * 5000}",
            f"--seeds must be a whole number, not '{'1' * 37}...{'1' * 38}'.",
        ),
        ("run --strong_lr 1e", "--strong-lr must be a number, not '1e'."),
        ("simulate --accuracy x", "--accuracy must be a number, not 'x'."),
        ("run --seeds", "--seeds needs a value: see w2s run --help."),
        ("run --dry-run=no", "--dry-run takes no value: leave =no out."),
        (
            "run atlas-asia",
            "atlas-asia is a task, and no file of a study: write --task atlas-asia.",
        ),
        (
            "predict",
            "w2s predict needs --model FOLDER and --task FILE|NAME: see w2s predict --help.",
        ),
    ],
)
def test_a_wrong_word_is_one_sentence(line, sentence, capsys):
    assert main(line.split()) == 2
    shown = capsys.readouterr()
    assert shown.err == f"error: {sentence}\n"
    assert shown.out == ""


@pytest.mark.parametrize(("line", "first"), [("", "run"), ("store", "sizes")])
def test_without_a_command_those_that_there_are_are_named(line, first, capsys):
    assert main(line.split()) == 2
    assert f"{first}, " in capsys.readouterr().err


NEEDED = {"annotators": ["x"], "export": ["x"]}
"""Words that a command cannot do without."""


def given(flag: str, of: object) -> list[str]:
    """A flag as one would write it, with a value of its type."""
    read = read_as(of)
    return [flag] if read is bool else [flag, read if isinstance(read, str) else "1"]


def test_every_flag_of_every_command_is_known_by_its_name():
    """What is not a number takes any word here; a wrong name would be refused as no flag."""
    commands = every_command(["simulate"])
    plain = {n: kind for n, kind in commands.items() if not isinstance(kind, Group)}
    for name, kind in plain.items():
        every = [word for flag, of in flag_types(kind).items() for word in given(flag, of)]
        with pytest.raises(UserError, match=f"^w2s {name} has no flag --nothing"):
            parsed([name, *NEEDED.get(name, ()), *every, "--nothing"])


def test_the_version_is_printed_alone(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"weak2strong {weak2strong.__version__}\n"
