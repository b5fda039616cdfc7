"""A seeded part of `make fuzz`, and that it notices what is wrong."""

import json
from pathlib import Path

import pytest

from fuzz.inputs import Ended, Input, problem
from weak2strong.cli import main
from weak2strong.tasks import opening, rows

HERE = Path(__file__).parent

SOME = ("--inputs", "45", "--commands", "0", "--seed", "20", "--places", "1", "--quick")

IN_A_COPY = """
import runpy, sys
sys.argv = [file, *arguments[1:]]
with open(arguments[0], "w") as sys.stdout:
    sys.stderr = sys.stdout
    runpy.run_path(file, run_name="__main__")
"""


def test_odd_inputs_end_right_or_with_one_sentence(tmp_path, copied):
    out, printed = tmp_path / "fuzz.jsonl", tmp_path / "printed"
    process = copied(IN_A_COPY, printed, *SOME, "--out", out, file=str(HERE / "__main__.py"))
    process.join()
    assert process.exitcode == 0, printed.read_text()
    found = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(found) == 45
    groups = {row["group"] for row in found}
    assert {"tables", "cells", "weak-labels", "studies", "flags", "paths", "outputs"} <= groups
    assert {row["code"] for row in found} >= {0, 2}


REFUSED = Input("", (), names=("a.csv", ("row 3", "line 4")))
RIGHT = Input("", (), right=lambda ended: None if ended.out == "yes" else "nonsense")


@pytest.mark.parametrize(
    ("asked", "code", "out", "err", "wrong"),
    [
        (REFUSED, 2, "", "error: a.csv, row 3 is odd: mend it.\n", None),
        (REFUSED, 2, "", "warning: hm\nerror: a.csv, line 4 is odd: mend it.\n", None),
        (REFUSED, 2, "", "error: a.csv is odd: mend it.\n", "does not name"),
        (REFUSED, 2, "", "error: a.csv, row 3 is odd\n", "no whole sentence"),
        (REFUSED, 2, "", "error: ValueError in a.csv, row 3.\n", "words of Python"),
        (REFUSED, 2, "", "error: a.csv, row 3 is\nodd: mend it.\n", "more than one line"),
        (REFUSED, 2, "", "a.csv, row 3 is odd: mend it.\n", "0 sentences"),
        (REFUSED, 0, "yes", "", "must be refused"),
        (REFUSED, 1, "", "internal error\n", "exit code 1"),
        (REFUSED, None, "", "", "exit code None"),
        (RIGHT, 0, "yes", "", None),
        (RIGHT, 0, "no", "", "nonsense"),
        (RIGHT, 2, "", "error: a.csv is odd: mend it.\n", "is right"),
        (RIGHT, 0, "yes", "Traceback (most recent call last):\nE: x\n", "a traceback"),
    ],
)
def test_what_is_wrong_with_an_end_is_noticed(asked, code, out, err, wrong):
    found = problem(asked, Ended(code, out, err))
    assert found is None if wrong is None else wrong in found


@pytest.mark.parametrize(
    ("module", "name"), [(opening, "open_file"), (rows, "with_classes"), (rows, "read_table")]
)
@pytest.mark.parametrize("error", [TypeError, KeyError, AssertionError, IndexError])
def test_a_bug_of_ours_is_no_sentence(tmp_path, monkeypatch, capsys, module, name, error):
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"t {i},{i % 2}\n" for i in range(40)))

    def broken(*arguments, **more):
        raise error("planted")

    monkeypatch.setattr(module, name, broken)
    assert main(["tasks", str(tmp_path / "a.csv")]) == 1
    err = capsys.readouterr().err
    assert "planted" in err
    assert "Traceback" in err
    assert problem(REFUSED, Ended(1, "", err))
