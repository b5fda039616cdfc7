"""The tutorial as a reader meets it: the blocks of its pages, run in their order in a folder."""

import contextlib
import io
import json
import re
import runpy
import shlex
from pathlib import Path

import polars as pl
import pytest

from weak2strong.cli import main
from weak2strong.ground.plugins import load_plugins

pytestmark = pytest.mark.slow

PAGES = Path(__file__).parents[2] / "docs" / "tutorial"
BLOCK = re.compile(r"(?:^<!-- output: (\w+) -->\n)?^```(\w*)\n(.*?)^```", flags=re.M | re.S)


def test_the_blocks_of_a_page_are_found():
    text = "<!-- output: results -->\n```\na\n```\ntext\n```console\n$ w2s tasks\n```\n"
    assert BLOCK.findall(text) == [("results", "", "a\n"), ("", "console", "$ w2s tasks\n")]


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    load_plugins(())


def done(page):
    """Do what a page says; the text that each command printed, by its words."""
    printed = {}
    for _, language, block in BLOCK.findall((PAGES / f"{page}.md").read_text()):
        first = block.partition("\n")[0]
        if language in ("python", "yaml") and first.startswith("# "):
            Path(first.removeprefix("# ")).write_text(block)
        elif language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(compile(block, page, "exec"), {})
            printed["python"] = out.getvalue()
        elif language == "console":
            for line in block.splitlines():
                printed |= {line: run(shlex.split(line.removeprefix("$ ")))}
    return printed


def run(words):
    """Run a command of a page in this process, and return what it printed."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        if words[0] == "python":
            runpy.run_path(words[1], run_name="__main__")
        else:
            assert words[0] == "w2s"
            quiet = ["--quiet"] if words[1] == "run" and "--dry-run" not in words else []
            assert main([*words[1:], *quiet]) in (0, None), out.getvalue()
    return out.getvalue()


def scores(folder):
    return pl.read_parquet(Path(folder) / "results.parquet")


def test_a_first_result(place):
    printed = done("first-result")
    (table,) = (b for what, _, b in BLOCK.findall((PAGES / "first-result.md").read_text()) if what)
    shown = next(text for line, text in printed.items() if "--out runs/first" in line)
    number = r"-?\d\.\d+"
    for said, got in zip(rows(table), rows(shown), strict=True):
        assert said.split()[:2] == got.split()[:2]
        # Behind the scores stands PGR with its interval, which small differences move a lot.
        for a, b in list(zip(re.findall(number, said), re.findall(number, got), strict=False))[:3]:
            # Another machine may round another way now and then.
            assert float(a) == pytest.approx(float(b), abs=0.05)
    for name in ("report.html", "figures/scores.png", "figures/captions.txt"):
        assert (place / "runs" / "second" / name).stat().st_size > 100
    assert "linear-probe" in next(text for line, text in printed.items() if "w2s compare" in line)
    assert (place / "scores.png").read_bytes().startswith(b"\x89PNG")
    assert "naive" in printed["python"]
    work = json.loads((place / "runs" / "python" / "work.json").read_text())
    assert work


def rows(text):
    """The rows of a table of results."""
    return [x for x in text.splitlines() if re.match(r"atlas-\S+ +[a-z-]+ +\d", x)]


def test_your_own_data(place):
    printed = done("own-data")
    assert (place / "europe.jsonl").exists()
    lines = [json.loads(line) for line in (place / "to_label.jsonl").read_text().splitlines()]
    assert {"weak_train", "strong_train", "validation", "test"} == {x["split"] for x in lines}
    # What a supervisor would learn from keeps its labels.
    assert all(("label" in line) == (line["split"] == "weak_train") for line in lines)
    labelled, supervised = scores("runs/mine"), scores("runs/europe")
    assert labelled["ceiling"].to_list() == supervised["ceiling"].to_list()
    assert labelled["floor"].to_list() != supervised["floor"].to_list()
    assert any("audit" in line and text for line, text in printed.items())


def test_your_own_method(place):
    printed = done("own-method")
    assert set(scores("runs/own")["method"]) == {"naive", "twice", "twice:loss=kl"}
    assert any("w2s compare" in line and "twice" in text for line, text in printed.items())
    assert any("w2s methods" in line and "loss" in text for line, text in printed.items())


def test_a_gpu(place):
    printed = done("gpu")
    tables = json.loads(next(text for line, text in printed.items() if "--json" in line))
    assert {row["method"] for row in tables["results"]} == {"naive", "confidence"}
    assert all(row["floor"] < row["ceiling"] for row in tables["results"])
