"""The page holds the numbers of the run as text, and asks nothing of the network."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from weak2strong.analysis.finished import FinishedRun, Results
from weak2strong.cli import main
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.engine.reading import Reading
from weak2strong.ground.errors import UserError
from weak2strong.ground.table import pgr_text
from weak2strong.methods import every_method
from weak2strong.report.examples import cases
from weak2strong.report.names import folder_word
from weak2strong.report.page import page, write_page

VOID = {"meta", "link", "input", "br", "img", "hr"}


class Read(HTMLParser):
    """Tags with attributes, the text of cells by table caption, and what is not closed."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.tables, self.text = [], [], {}, []
        self._caption = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr" and self._caption:
            self.tables[self._caption].append([])
        if tag in ("td", "th") and self._caption:
            self.tables[self._caption][-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag == "table":
            self._caption = None

    def handle_data(self, data):
        if "script" in self.open or "style" in self.open:
            return
        self.text.append(data)
        if self.open and self.open[-1] == "caption":
            self._caption = data
            self.tables[data] = []
        elif self._caption and {"td", "th"} & set(self.open):
            self.tables[self._caption][-1][-1] += data


@pytest.fixture(scope="module")
def text(page_of_a_run):
    return page_of_a_run


@pytest.fixture(scope="module")
def read(text):
    return Read(text)


def test_every_cell_is_that_of_the_results(text, small_run):
    block = re.search(r'<script type="application/json" id="data">(.*?)</script>', text)[1]
    rows = {tuple(r[1:4]): r[4:] for r in json.loads(block)["rows"]}
    results = pl.read_parquet(small_run / "results.parquet").filter(metric="accuracy")
    assert len(rows) == len(results) == 2 * 2 * 3
    of = {(x.task, x.method): x.recovered for x in Results(small_run).lines()}
    for r in results.iter_rows(named=True):
        *scores, pgr = rows[r["task"], r["method"], r["seed"]]
        assert scores == [round(r[k], 4) for k in ("floor", "student", "ceiling")]
        if of[r["task"], r["method"]].undefined or r["ceiling"] <= r["floor"]:
            assert pgr is None
        else:
            assert pgr == round(r["pgr_of_cell"], 4)


def test_the_table_says_what_the_terminal_says(read, small_run):
    results = Results(small_run)
    rows = next(rows for caption, rows in read.tables.items() if caption.startswith("Every task"))
    expected = [
        [x.task, x.method]
        + [f"{s:.3f}" for s in (x.recovered.floor, x.recovered.student, x.recovered.ceiling)]
        + [pgr_text(x.recovered.pgr), f"{x.probe_ceiling:.3f}", f"{x.ngrams:.3f}"]
        for x in results.lines()
    ]
    assert rows[1:] == expected
    over = results.over_tasks().methods["naive"]
    said = " ".join(read.text)
    wanted = f"{over.mean:.2f}, 95% interval {over.mean_interval.low:.2f} to "
    assert wanted + f"{over.mean_interval.high:.2f}" in said


def test_numbers_in_figures_are_those_of_the_lines(made_run, tmp_path, drawn):
    one = made_run(tmp_path / "one", tasks=["a-task"], examples=400, seeds=3)
    svg = re.search(r'id="run0-scores".*?</figure>', page([one]), re.DOTALL)[0]
    shown = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    for line in Results(one).lines():
        r = line.recovered
        assert {f"{r.floor:.3f}", f"{r.student:.3f}", f"{r.ceiling:.3f}"} <= set(shown)
        low, high = r.student_interval.low, r.student_interval.high
        assert f"{line.method} {r.student:.3f} [{low:.3f}, {high:.3f}]" in svg


def test_the_command_beneath_a_figure_writes_that_figure(read, text, small_run, tmp_path, capsys):
    said = re.findall(r"As a file: <code>(.*?)</code>", text)
    said = ["".join(Read(command).text) for command in said]
    names = [attrs["id"].removeprefix("run0-") for tag, attrs in read.tags if tag == "figure"]
    assert [s.rpartition(" ")[2] for s in said] == names
    assert len(names) > 4
    out = ["--format", "svg", "--out", str(tmp_path)]
    assert main([*shlex.split(said[1])[1:], *out]) == 0
    assert {p.name for p in tmp_path.iterdir()} == {"pgr.svg", "pgr.csv", "captions.txt"}
    assert main(["figures", str(small_run), "--only", "pgr", "prg", *out]) == 2
    assert "Unknown figure of this folder 'prg': did you mean pgr?" in capsys.readouterr().err


def test_a_command_stays_right_when_the_latest_run_is_another(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "a b").mkdir(parents=True)
    (tmp_path / "runs" / "latest").symlink_to("a b")
    assert folder_word(Path("runs/latest")) == "'runs/a b'"
    assert folder_word(tmp_path / "runs" / "latest") == f"'{tmp_path / 'runs' / 'a b'}'"


def test_what_data_hold_is_text(text, read, nasty):
    assert nasty not in text
    scripts = [attrs for tag, attrs in read.tags if tag == "script"]
    data = {"type": "application/json"}
    assert scripts == [data | {"class": "examples"}, data | {"id": "data"}, {}]
    assert not [tag for tag, _ in read.tags if tag == "img"]
    assert not [name for _, attrs in read.tags for name in attrs if name.startswith("on")]
    said = "".join(read.text)
    assert f"Truth: {nasty}" in said or f"Supervisor: {nasty}" in said


def test_what_models_read_is_said(read, small_run):
    first, *_ = json.loads((small_run / "tasks.json").read_text())
    said = [s for one in first["read"] for s in Reading(**one).sentences()]
    assert len(said) == 5
    assert set(said) <= set(read.text)


def test_a_task_may_have_any_name(made_run, tmp_path, nasty):
    run = made_run(tmp_path / "run", tasks=[nasty, "b"], examples=60)
    text = page([run])
    assert nasty not in text
    assert nasty in Read(text).text


def test_nothing_is_asked_of_the_network(text, read):
    assert "Content-Security-Policy" in text
    asks = {"src", "href", "xlink:href", "action", "data", "poster", "srcset"}
    links = {v for _, attrs in read.tags for k, v in attrs.items() if k in asks}
    assert all(v.startswith("#") or v == "data:," for v in links)
    assert "@import" not in text
    assert not re.findall(r"url\((?!#)", text)


def test_it_can_be_read_without_seeing_it(read):
    levels = [int(tag[1]) for tag, _ in read.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    pictures = [attrs for _, attrs in read.tags if attrs.get("role") == "img"]
    assert len(pictures) >= 5
    assert all(re.search(r"\d\.\d", p["aria-label"]) for p in pictures)
    assert all(attrs.get("scope") for tag, attrs in read.tags if tag == "th")
    ids = [attrs["id"] for _, attrs in read.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    refers = {
        attrs["href"][1:]
        for tag, attrs in read.tags
        if tag in ("a", "use") and attrs.get("href", "").startswith("#")
    }
    assert refers <= set(ids)


def test_examples_show_corrections_errors_and_losses(read):
    said = " ".join(read.text)
    for title in (
        "Students corrected the supervisor",
        "Students imitated its error",
        "Students lost a right label",
    ):
        assert title in said


def test_examples_that_are_answered_in_words_show_texts_and_boards(mates_run, nasty):
    text = page([mates_run])
    assert nasty not in text
    said = " ".join(" ".join(Read(text).text).split())
    assert "Students corrected the supervisor" in said
    assert "Truth: e1e8 or b1b8 ." in said
    assert re.search(r"Supervisor: \S+ \. Student: \S+ \.", said)
    shown = re.findall('<svg class="board".*?</svg>', text)
    cases = said.count("Truth: ")
    assert cases > 4
    assert len(shown) == cases
    position = "Chess position, white to move: 7k/6pp/8/8/8/8/8/KR2R3; right: "
    truths = re.findall("Truth: (.*?) [.]", said)
    told = re.findall('aria-label="(.*?)"', "".join(shown))
    assert told == [position + truth.replace(" or ", ", ") for truth in truths]


def test_examples_heed_case_where_the_studys_metric_does(mates_run, tmp_path):
    shutil.copytree(mates_run, tmp_path / "run")
    study = tmp_path / "run" / "study.yaml"
    study.write_text(study.read_text().replace("metric: null", "metric: exact_match_cased", 1))
    corrected = {
        folder.name: [
            (case.student.removesuffix("."), case.truths)
            for found in cases(FinishedRun(folder)).values()
            for case in found["corrected"]
        ]
        for folder in (mates_run, tmp_path / "run")
    }
    assert all(student in truths for student, truths in corrected["run"])
    assert not all(student in truths for student, truths in corrected["mates"])


def test_an_older_run_says_that_it_has_no_texts(made_run, tmp_path):
    run = made_run(tmp_path / "run", tasks=["a"], texts=False, examples=60)
    text = page([run])
    assert "made before texts of examples were kept" in text


def test_several_runs_are_compared(small_run, made_run, tmp_path, compared_drawn):
    other = made_run(tmp_path / "other", strong="atlas-l")
    text = page([small_run, other])
    read = Read(text)
    rows = read.tables["PGR of every run and method"]
    assert [r[:2] for r in rows[1:]] == [
        [f"atlas-xs to {s}", m] for s in ("atlas-s", "atlas-l") for m in ("naive", "confidence")
    ]
    svg = re.search(r'id="compared-sizes".*?</figure>', text, re.DOTALL)[0]
    # The sizes of the two rungs, and no markup of mathematics.
    words = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    assert {"238k", "902k"} <= set(words)
    assert "$" not in svg
    ids = [attrs["id"] for _, attrs in read.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_an_unfinished_run_says_so_and_reloads(small_run, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    study, training = (small_run / "study.yaml").read_text(), Training().with_rates((1e-3, 1e-2))
    config = StudyConfig.from_yaml(study)
    config = replace(config, weak_training=training, strong_training=training)
    (run / "study.yaml").write_text(config.to_yaml())
    step = {"time": "2026-01-01T00:01:00+00:00", "event": "step", "reused": False, "stages": []}
    names = ["a-task supervisor seed 0", "<b>task supervisor seed 1"]
    names += ["a-task student linear-probe seed 1", *(f"a-task ceiling seed {s}" for s in range(4))]
    events = [
        {"time": "2025-01-01T00:00:00+00:00", "event": "start"},
        step | {"name": "a-task ceiling seed 1"},
        {"time": "2026-01-01T00:00:00+00:00", "event": "start", "workers": 2, "steps": names},
        step | {"name": "a-task supervisor seed 0", "seconds": 60},
        step | {"name": "<b>task supervisor seed 1", "seconds": 60},
        {"time": "2026-01-01T00:01:00+00:00", "event": "begin", "name": names[-1], "place": "here"},
        step | {"name": "a-task student linear-probe seed 1", "reused": True},
    ]
    # The last line is being written.
    (run / "events.jsonl").write_text("\n".join(map(json.dumps, events)) + '\n{"time": "2026')
    text = page([run])
    said = " ".join(" ".join(Read(text).text).split())
    assert "not finished" in said
    assert "This run has no results yet." in said
    assert "3 of 7 steps done, 1 of them read from the store; running for" in said
    # Three ceilings of 60 s wait for two workers, and the fourth has been at work for long.
    assert "about 90 s left. Nothing was heard of it for" in said
    assert "At work a-task ceiling seed 3: here, for" in said
    assert "Steps step done at work waiting supervisor 2 – – " in said
    assert "ceiling – 1 3" in said
    assert '<meta http-equiv="refresh"' in text
    assert "<b>task" not in text
    assert '<meta http-equiv="refresh"' not in page([small_run])


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"holds no run: name a folder that `w2s run` wrote"):
        page([tmp_path])


def test_a_place_that_cannot_be_written_is_told_before_a_page_is_made(
    small_run, tmp_path, monkeypatch
):
    monkeypatch.setattr("weak2strong.report.page.page", None)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="choose another --out"):
        write_page([small_run], tmp_path / "file" / "report.html")
    for folder in (tmp_path, Path(".")):
        with pytest.raises(UserError, match="it is a folder"):
            write_page([small_run], folder)


@pytest.mark.slow
def test_a_large_run_is_small(made_run, tmp_path):
    """25 tasks, 10 methods, 5 seeds and 1,000 test examples: under 7 MB, 3 of them examples."""
    tasks = [f"task-{i:02}" for i in range(25)]
    run = made_run(tmp_path / "run", tasks, every_method()[:10], seeds=5, examples=1000)
    path = write_page([run], tmp_path / "report.html")
    assert path.stat().st_size < 7e6


def test_reading_a_run_takes_no_torch():
    code = "import sys, weak2strong.report.page; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not {"torch", "transformers"} & set(done.stdout.split())
