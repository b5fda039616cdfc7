"""Each figure's frame against a count by hand, and what its picture holds."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import polars as pl
import pytest

from weak2strong.errors import UserError
from weak2strong.methods import METHODS
from weak2strong.report.drawn import export, inline_svg, kinds_of
from weak2strong.report.figures import FIGURES
from weak2strong.report.figures.style import COLOURS, DARK, PAPER, looks, new, styled
from weak2strong.report.finished import Finished
from weak2strong.study.examples import outcomes


@pytest.fixture(scope="module")
def run(small_run):
    return Finished(small_run)


@pytest.fixture(scope="module")
def frames(run):
    return {kind.name: frame for kind, frame in kinds_of(run)}


def answers(run, task, role, method, seed):
    rows = run.predictions.filter(task=task, role=role, method=method, seed=seed).sort("id")
    return np.array(rows["probabilities"].to_list()), rows["label"].to_numpy()


def test_a_run_has_the_figures_that_it_has_the_data_for(frames, run, made_run, tmp_path):
    wanted = ["scores", "pgr", "tasks", "outcomes", "agreement", "reliability", "difficulty"]
    assert list(frames) == wanted
    old = made_run(tmp_path / "one", tasks=["a"], texts=False)
    assert [k.name for k, _ in kinds_of(Finished(old))] == [
        name for name in wanted if name != "tasks"
    ]


def test_a_run_without_a_gap_has_no_picture_of_pgr(made_run, tmp_path):
    folder = made_run(tmp_path / "run", tasks=["a"])
    floor = pl.col("role") == "floor"
    predictions = pl.read_parquet(folder / "predictions.parquet")
    same = predictions.filter(floor).with_columns(role=pl.lit("ceiling"))
    pl.concat([predictions.filter(pl.col("role") != "ceiling"), same]).write_parquet(
        folder / "predictions.parquet"
    )
    assert "pgr" not in [k.name for k, _ in kinds_of(Finished(folder))]


def test_scores_and_pgr_are_those_of_the_lines(frames, run):
    for line in run.lines:
        row = frames["scores"].filter(task=line.task, role="student", method=line.method)
        r = line.recovered
        assert row["score"].item() == r.student
        assert (row["low"].item(), row["high"].item()) == (
            r.student_interval.low,
            r.student_interval.high,
        )
        pgr = frames["pgr"].filter(method=line.method, of=f"task {line.task}")
        assert pgr["pgr"].item() == r.value
    mean = frames["pgr"].filter(method="naive", of="mean over 2 tasks")["pgr"].item()
    assert mean == run.over.methods["naive"].mean


def test_outcomes_and_agreement_are_counted_by_hand(frames, run):
    for task in run.by_task:
        shares = []
        for seed in range(3):
            student, labels = answers(run, task, "student", "naive", seed)
            weak, _ = answers(run, task, "floor", "", seed)
            s, w = student.argmax(1) == labels, weak.argmax(1) == labels
            shares.append([(s & w).mean(), (s & ~w).mean(), (~s & w).mean(), (~s & ~w).mean()])
            of = frames["agreement"].filter(task=task, method="naive", seed=seed)
            same = student.argmax(1) == weak.argmax(1)
            found = dict(of.select("where", "agreement").iter_rows())
            assert found["all"] == pytest.approx(same.mean())
            assert found["supervisor is wrong"] == pytest.approx(same[~w].mean())
            assert found["supervisor is right"] == pytest.approx(same[w].mean())
        of = frames["outcomes"].filter(task=task, method="naive")
        names = ["both right", "student alone right", "supervisor alone right", "both wrong"]
        found = dict(of.select("outcome", "share").iter_rows())
        assert [found[n] for n in names] == pytest.approx(np.mean(shares, axis=0))


def test_reliability_bins_hold_every_answer(frames, run):
    curve = frames["reliability"].filter(role="floor").sort("confidence")
    both = [answers(run, t, "floor", "", s) for t in run.by_task for s in range(3)]
    p = np.concatenate([x.max(1) for x, _ in both])
    right = np.concatenate([x.argmax(1) == y for x, y in both])
    bins = np.minimum((p * 10).astype(int), 9)
    for row, b in zip(curve.iter_rows(named=True), np.unique(bins), strict=True):
        assert row["answers"] == (bins == b).sum()
        assert row["accuracy"] == pytest.approx(right[bins == b].mean())
        assert row["confidence"] == pytest.approx(p[bins == b].mean())
        assert row["low"] < row["accuracy"] < row["high"] or row["accuracy"] in (0, 1)


def test_the_interval_of_a_bin_is_wilsons(frames):
    from scipy.stats import binomtest

    row = frames["reliability"].row(0, named=True)
    k = round(row["accuracy"] * row["answers"])
    wilson = binomtest(k, row["answers"]).proportion_ci(method="wilson")
    assert (row["low"], row["high"]) == pytest.approx((wilson.low, wilson.high), abs=1e-4)


def test_fifths_of_difficulty_are_cut_by_rank(frames, run):
    means = []
    for task in run.by_task:
        names = run.predictions.filter(task=task, role="names").sort("id")
        hard = names["difficulty"].to_numpy()
        easiest = np.argsort(hard, kind="stable")[: len(hard) // 5]
        student = [answers(run, task, "student", "confidence", s) for s in range(3)]
        means.append([(x.argmax(1) == y)[easiest].mean() for x, y in student])
    row = frames["difficulty"].filter(role="student", method="confidence", part=0)
    assert row["accuracy"].item() == pytest.approx(np.mean(means))
    assert row["low"].item() == pytest.approx(np.mean(means, axis=0).min())


def test_saliency_needs_its_methods_and_holds_their_scores(made_run, tmp_path):
    run = Finished(
        made_run(
            tmp_path / "run", tasks=["a"], methods=["naive", "linear-probe", "finetune-then-probe"]
        )
    )
    frame = {kind.name: frame for kind, frame in kinds_of(run)}["saliency"]
    scores = dict(frame.select("setting", "score").iter_rows())
    line = {x.method: x for x in run.lines}["linear-probe"]
    assert scores["linear probe on weak labels"] == line.recovered.student
    assert scores["linear probe on ground truth"] == line.probe_ceiling
    assert scores["finetuned on ground truth"] == line.recovered.ceiling


def test_outcomes_of_examples_are_those_of_the_first_seed(run):
    found = outcomes(run.predictions).filter(task="a-task")
    weak, labels = answers(run, "a-task", "floor", "", 0)
    student, _ = answers(run, "a-task", "student", "naive", 0)
    ids = sorted(run.predictions["id"].unique())
    expected = {
        "corrected": (weak.argmax(1) != labels) & (student.argmax(1) == labels),
        "imitated": (weak.argmax(1) != labels) & (student.argmax(1) == weak.argmax(1)),
        "lost": (weak.argmax(1) == labels) & (student.argmax(1) != labels),
    }
    for outcome, which in expected.items():
        rows = found.filter(outcome=outcome)
        by_naive = rows.filter(pl.col("methods").list.contains("naive"))
        assert set(by_naive["id"]) == {ids[i] for i in np.flatnonzero(which)}
        counts = rows["methods"].list.len().to_list()
        assert counts == sorted(counts, reverse=True)


def test_every_figure_says_what_it_shows_and_can_be_drawn(run, frames):
    look = looks(run.config.methods)
    for name, frame in frames.items():
        kind = FIGURES.get(name)
        with styled():
            svg = inline_svg(kind.draw(frame, look), "x")
        tree = ET.fromstring(svg)
        assert not re.findall(r'id="(?!x-)', svg), name
        assert "<image" not in svg, "nothing is a raster"
        assert not [c for c in DARK if c in svg]
        # Text keeps its numbers, shapes two decimals.
        assert not re.search(r'd="[^"]*\.\d{3}', svg)
        words = " ".join(t for e in tree.iter() if e.tag.endswith("text") for t in e.itertext())
        assert all(m in words for m in run.config.methods), name
        assert kind.title(frame)
        assert all(m in kind.alt(frame) for m in run.config.methods) or name == "tasks"
        assert kind.note(frame).endswith(".")


def test_text_in_a_picture_keeps_all_digits():
    with styled():
        figure, axes = new()
        axes.set_title("0.12345 $x$ <b> #1b1f24")
        svg = inline_svg(figure, "x")
    assert "0.12345 $x$ &lt;b&gt; #1b1f24" in svg


def test_looks_do_not_depend_on_order_or_company_of_later_methods():
    every = list(METHODS)
    assert looks(["confidence", "naive"]) == looks(["naive", "confidence"])
    assert looks(["naive", "kl"])["naive"] == looks(every)["naive"]
    assert len(set(looks(every).values())) == len(every), "colour and mark tell any two apart"
    few = looks([*every[:4], *every[-4:]])
    assert len({look.colour for look in few.values()}) == 8


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_colours_stand_out_on_light_and_dark():
    for colour in COLOURS:
        assert contrast(colour, "#ffffff") >= 3
        assert contrast(DARK[colour], DARK[PAPER]) >= 3


def test_export_writes_pictures_data_and_captions(run, tmp_path):
    written = export(kinds_of(run), looks(run.config.methods), tmp_path, ["pdf", "svg", "png"])
    assert {p.suffix for p in written} == {".pdf", ".svg", ".png", ".csv", ".txt"}
    heads = {".pdf": b"%PDF", ".png": b"\x89PNG", ".svg": b"<?xml"}
    for path in written:
        assert path.read_bytes().startswith(heads.get(path.suffix, b""))
    frame = pl.read_csv(tmp_path / "scores.csv")
    assert (
        frame["score"].to_list()
        == {k.name: f for k, f in kinds_of(run)}["scores"]["score"].to_list()
    )
    assert "pgr: " in (tmp_path / "captions.txt").read_text()
    again = export(kinds_of(run), looks(run.config.methods), tmp_path / "again", ["pdf", "svg"])
    for path in again:
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_a_format_that_is_none_is_refused_with_the_nearest(run, tmp_path):
    with pytest.raises(UserError, match="did you mean svg"):
        export(kinds_of(run), looks(run.config.methods), tmp_path / "no", ["svgz"])
    assert not (tmp_path / "no").exists()


def test_a_plugin_that_is_gone_still_has_a_look():
    assert looks(["naive", "my-own", "my-other"])["my-own"].colour
