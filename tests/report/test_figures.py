"""Each figure's frame against a count by hand, and what its picture holds."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from shutil import copytree

import numpy as np
import polars as pl
import pytest
from matplotlib.text import Text

from weak2strong.analysis.analyse import analyse
from weak2strong.analysis.finished import FinishedRun
from weak2strong.experiments.overfitting import FinishedOverfitting
from weak2strong.ground.errors import UserError
from weak2strong.methods import METHODS
from weak2strong.report.figures import EXPERIMENT_FIGURES, FIGURES
from weak2strong.report.figures.drawing import new_figure
from weak2strong.report.figures.style import COLOURS, DARK, PAPER, method_styles, styled
from weak2strong.report.folders import figures_of
from weak2strong.report.pictures import export, inline_svg


@pytest.fixture(scope="module")
def run(small_run):
    return FinishedRun(small_run)


@pytest.fixture(scope="module")
def frames(run):
    return {kind.name: frame for kind, frame in figures_of([run])}


@pytest.fixture(scope="module", params=["small_run", "mates_run"])
def each(request):
    """A run of classes, and one that is answered in words."""
    return FinishedRun(request.getfixturevalue(request.param))


@pytest.fixture(scope="module")
def frames_of_each(each):
    return {kind.name: frame for kind, frame in figures_of([each])}


def told(run, task, role, method, seed):
    """By id what somebody said, as it is compared, and whether it is right: row by row."""
    found = {}
    rows = run.predictions.filter(task=task, role=role, method=method, seed=seed)
    for row in rows.iter_rows(named=True):
        if "answer" in row:
            said, *accepted = (
                " ".join(text.lower().split()).removesuffix(".")
                for text in (row["answer"], *row["label"])
            )
            found[row["id"]] = said, said in accepted
        else:
            said = max(range(2), key=row["probabilities"].__getitem__)
            found[row["id"]] = said, said == row["label"]
    return found


def answers(run, task, role, method, seed):
    rows = run.predictions.filter(task=task, role=role, method=method, seed=seed).sort("id")
    return np.array(rows["probabilities"].to_list()), rows["label"].to_numpy()


def test_a_run_has_the_figures_that_it_has_the_data_for(frames, run, made_run, tmp_path):
    of_answers = ["outcomes", "agreement", "reliability", "difficulty"]
    wanted = ["scores", "pgr", "pgr-by-task", "tasks", *of_answers]
    assert list(frames) == wanted
    words = made_run(tmp_path / "words", tasks=["a", "b"], written=True)
    in_words = [name for name in wanted if name != "reliability"]
    assert [k.name for k, _ in figures_of([FinishedRun(words)])] == in_words
    old = made_run(tmp_path / "one", tasks=["a"], texts=False)
    assert [k.name for k, _ in figures_of([FinishedRun(old)])] == [
        name for name in wanted if name not in ("pgr-by-task", "tasks")
    ]


def test_a_run_without_a_gap_has_no_picture_of_pgr(made_run, tmp_path):
    folder = made_run(tmp_path / "run", tasks=["a"])
    floor = pl.col("role") == "floor"
    predictions = pl.read_parquet(folder / "predictions.parquet")
    same = predictions.filter(floor).with_columns(role=pl.lit("ceiling"))
    pl.concat([predictions.filter(pl.col("role") != "ceiling"), same]).write_parquet(
        folder / "predictions.parquet"
    )
    assert "pgr" not in [k.name for k, _ in figures_of([FinishedRun(folder)])]


def test_scores_and_pgr_are_those_of_the_lines(frames, run):
    for line in run.lines():
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


def test_outcomes_and_agreement_are_counted_by_hand(frames_of_each, each):
    for task in each.by_task:
        shares = []
        for seed in range(3):
            student, weak = (
                told(each, task, role, method, seed)
                for role, method in (("student", "naive"), ("floor", ""))
            )
            pairs = [(student[id], weak[id]) for id in weak]
            ways = [(s[1], w[1]) for s, w in pairs]
            every = [(True, True), (True, False), (False, True), (False, False)]
            shares.append([ways.count(way) / len(ways) for way in every])
            of = frames_of_each["agreement"].filter(task=task, method="naive", seed=seed)
            found = dict(of.select("where", "agreement").iter_rows())
            for where, kept in (
                ("all", pairs),
                ("supervisor is wrong", [(s, w) for s, w in pairs if not w[1]]),
                ("supervisor is right", [(s, w) for s, w in pairs if w[1]]),
            ):
                assert found[where] == pytest.approx(np.mean([s[0] == w[0] for s, w in kept]))
                assert 0.05 < found[where] < 1, "nothing is trivial here"
        of = frames_of_each["outcomes"].filter(task=task, method="naive")
        names = ["both right", "student alone right", "supervisor alone right", "both wrong"]
        found = dict(of.select("outcome", "share").iter_rows())
        assert [found[n] for n in names] == pytest.approx(np.mean(shares, axis=0))


def test_figures_and_analyse_say_the_same(frames_of_each, each):
    tables = analyse(each.config, each.predictions).tables
    agreement = frames_of_each["agreement"].group_by("task", "method", "where")
    means = {key: rows["agreement"].mean() for key, rows in agreement}
    for row in tables["agreement"].iter_rows(named=True):
        where = "all" if row["weak_label"] == "all" else f"supervisor is {row['weak_label']}"
        assert means.pop((row["task"], row["method"], where)) == pytest.approx(row["agreement"])
    assert not means
    shares = {tuple(row[:3]): row[3] for row in frames_of_each["outcomes"].iter_rows()}
    for row in tables["confusion"].iter_rows(named=True):
        who = [name for name in ("student", "supervisor") if row[f"{name}_right"]]
        outcome = {2: "both right", 0: "both wrong"}.get(len(who)) or f"{who[0]} alone right"
        assert shares.pop((row["task"], row["method"], outcome)) == pytest.approx(row["share"])
    assert not shares
    hard = frames_of_each["difficulty"]
    rows = {
        (r["task"], r["bucket"], r["role"], r["method"]): r for r in tables["difficulty"].to_dicts()
    }
    for key, of in hard.group_by("task", "part", "role", "method"):
        row = rows.pop(key)
        assert of["score"].mean() == pytest.approx(row["score"])
        assert (set(of["from"]), set(of["to"])) == ({row["from"]}, {row["to"]})
        assert set(of["metric"]) == {row["metric"]}
    assert not rows, "with no ties, quarters are buckets"


def test_difficulty_of_one_task_is_drawn_in_its_own_buckets(made_run, tmp_path):
    folder = made_run(tmp_path / "one", tasks=["a"], written=True)
    levels(folder, {"a": [1] * 150 + [2] * 100 + [3] * 50})
    run = FinishedRun(folder)
    frame = {kind.name: frame for kind, frame in figures_of([run])}["difficulty"]
    assert frame.select("part", "from", "to").unique().sort("part").rows() == [
        (0, 1, 2),
        (1, 2, 3),
    ]
    table = analyse(run.config, run.predictions).tables["difficulty"]
    for row in table.iter_rows(named=True):
        of = frame.filter(part=row["bucket"], role=row["role"], method=row["method"])
        assert of["score"].mean() == pytest.approx(row["score"])
    words = shown("difficulty", frame, run)
    assert {"1 to 2", "2 to 3", "exact match on the test set"} <= words
    assert "accuracy" not in FIGURES.get("difficulty").describe(frame).title


def test_difficulty_of_several_tasks_is_a_mean_over_those_that_tell_it(made_run, tmp_path):
    """A bucket of equally hard examples stands in each quarter that begins in it."""
    folder = made_run(tmp_path / "run", tasks=["even", "ties", "same", "none"])
    levels(folder, {"ties": [1] * 200 + [2] * 100, "same": [7] * 300, "none": [None] * 300})
    run = FinishedRun(folder)
    frame = {kind.name: frame for kind, frame in figures_of([run])}["difficulty"]
    assert set(frame["task"]) == {"even", "ties"}
    of = frame.filter(task="ties", role="floor", seed=0).sort("part")
    assert of.select("part", "from", "to").rows() == [(0, 1, 2), (1, 1, 2), (2, 1, 2), (3, 2, 2)]
    means = []
    for seed in range(3):
        of_tasks = []
        for task in ("even", "ties"):
            rows = run.predictions.filter(task=task, role="floor", seed=seed).sort("difficulty")
            said = told(run, task, "floor", "", seed)
            hits = [said[id][1] for id in rows["id"]]
            of_tasks.append(np.mean(hits[:75] if task == "even" else hits[:200]))
        means.append(np.mean(of_tasks))
    assert f"supervisor: {np.mean(means):.2f}, " in FIGURES.get("difficulty").describe(frame).alt
    assert {"easiest quarter", "hardest quarter"} <= shown("difficulty", frame, run)


def levels(folder, difficulties):
    """Write other difficulties of some tasks into a run, in the order of the ids."""
    path = folder / "predictions.parquet"
    frame = pl.read_parquet(path)
    ids = frame["id"].unique().sort()
    other = pl.concat(
        pl.DataFrame(
            {"task": task, "id": ids, "other": pl.Series(of, dtype=pl.Float64), "changed": True}
        )
        for task, of in difficulties.items()
    )
    hard = pl.when("changed").then("other").otherwise("difficulty")
    frame = frame.join(other, on=["task", "id"], how="left", maintain_order="left")
    frame.with_columns(difficulty=hard).drop("other", "changed").write_parquet(path)


def shown(name, frame, run):
    """The texts in a picture."""
    with styled():
        svg = inline_svg(FIGURES.get(name).draw(frame, method_styles(run.config.methods)), "x")
    tree = ET.fromstring(svg)
    return {t for e in tree.iter() if e.tag.endswith("text") for t in e.itertext()}


def test_reliability_bins_hold_every_answer(frames, run):
    """Ten bins of equal mass: no confidence is in a higher one than a larger confidence."""
    curve = frames["reliability"].filter(role="floor").sort("confidence")
    both = [answers(run, t, "floor", "", s) for t in run.by_task for s in range(3)]
    p = np.concatenate([x.max(1) for x, _ in both])
    right = np.concatenate([x.argmax(1) == y for x, y in both])
    order, parts = np.argsort(p), np.arange(len(p)).reshape(10, -1)
    assert len(np.unique(p)) == len(p), "without ties"
    for row, at in zip(curve.iter_rows(named=True), parts, strict=True):
        assert row["answers"] == len(at)
        assert row["accuracy"] == pytest.approx(right[order[at]].mean())
        assert row["confidence"] == pytest.approx(p[order[at]].mean())
        assert row["low"] < row["accuracy"] < row["high"] or row["accuracy"] in (0, 1)


def test_the_error_of_a_figure_is_that_of_the_analysis(frames_of_each, each):
    if "reliability" not in frames_of_each:
        return
    table = analyse(each.config, each.predictions).tables["calibration"]
    errors = {key: rows["ece"].mean() for key, rows in table.group_by("role", "method")}
    assert len(errors) == 4
    for key, points in frames_of_each["reliability"].group_by("role", "method"):
        assert points["error"].unique().item() == pytest.approx(errors[key])
    alt = FIGURES.get("reliability").describe(frames_of_each["reliability"]).alt
    assert f"supervisor {errors['floor', '']:.3f}, " in alt


def test_the_model_that_is_called_best_is_calibrated_best_on_each_task(made_run, tmp_path):
    """Over-confident on one task and under-confident on another, all answers together look well."""
    folder = made_run(tmp_path / "run", methods=["naive"])
    path = folder / "predictions.parquet"
    frame = pl.read_parquet(path).with_columns(
        number=pl.int_range(pl.len()).over("task", "role", "method", "seed")
    )
    shares = {"floor": (0.7, 0.9), "student": (0.74, 0.74), "ceiling": (0.77, 0.77)}
    for role, of_tasks in shares.items():
        for task, share in zip(("a-task", "b-task"), of_tasks, strict=True):
            here = (pl.col("role") == role) & (pl.col("task") == task)
            chosen = (pl.col("number") < share * 300) == (pl.col("label") == 1)
            # Confidences of about .8 that tell nothing apart.
            sure = 0.8 + 1e-6 * (pl.col("number") * 7919 % 300)
            yes = pl.when(chosen).then(sure).otherwise(1 - sure)
            frame = frame.with_columns(
                probabilities=pl.when(here)
                .then(pl.concat_list(1 - yes, yes))
                .otherwise("probabilities")
            )
    frame.drop("number").write_parquet(path)
    run = FinishedRun(folder)
    points = {kind.name: frame for kind, frame in figures_of([run])}["reliability"]
    words = FIGURES.get("reliability").describe(points)
    assert words.title.startswith("Calibration error is smallest for ceiling (")
    assert "largest for supervisor (" in words.title
    of_floor = points.filter(role="floor")
    together = abs(of_floor["accuracy"].mean() - of_floor["confidence"].mean())
    assert together < 0.01, "all answers together hide it"
    assert of_floor["error"][0] > 0.09


def test_agreement_has_the_intervals_of_the_analysis(made_run, tmp_path, frames_of_each, each):
    run = FinishedRun(made_run(tmp_path / "one", tasks=["a-task"]))
    frame = {kind.name: frame for kind, frame in figures_of([run])}["agreement"]
    for of, found in ((run, frame), (each, frames_of_each["agreement"])):
        table = analyse(of.config, of.predictions).tables["agreement"]
        for row in table.iter_rows(named=True):
            where = "all" if row["weak_label"] == "all" else f"supervisor is {row['weak_label']}"
            rows = found.filter(task=row["task"], method=row["method"], where=where)
            assert set(rows["low"]) == {row["agreement_low"]}
            assert set(rows["high"]) == {row["agreement_high"]}
            assert row["agreement_low"] < row["agreement"] < row["agreement_high"]
    assert drawn_lines(frame, run) == {tuple(x) for x in frame.select("low", "high").iter_rows()}
    words = FIGURES.get("agreement").describe(frame)
    row = frame.filter(where="supervisor is wrong", method="naive")
    low, high = row["low"][0], row["high"][0]
    assert f"wrong {row['agreement'].mean():.3f} [{low:.3f}, {high:.3f}]" in words.alt
    assert "95% intervals" in words.note
    # A mean over several tasks has no interval.
    assert not drawn_lines(frames_of_each["agreement"], each)
    several = FIGURES.get("agreement").describe(frames_of_each["agreement"])
    assert "[" not in several.alt
    assert "dots: tasks" in several.note


def drawn_lines(frame, run):
    """The ends of the horizontal lines of the figure of agreement."""
    with styled():
        figure = FIGURES.get("agreement").draw(frame, method_styles(run.config.methods))
    (axes,) = figure.axes
    segments = [s for of in axes.collections for s in of.get_segments()]
    return {(s[0][0], s[1][0]) for s in segments}


def test_the_interval_of_a_bin_is_wilsons(frames):
    from scipy.stats import binomtest

    row = frames["reliability"].row(0, named=True)
    k = round(row["accuracy"] * row["answers"])
    wilson = binomtest(k, row["answers"]).proportion_ci(method="wilson")
    assert (row["low"], row["high"]) == pytest.approx((wilson.low, wilson.high), abs=1e-4)


def test_saliency_needs_its_methods_and_holds_their_scores(made_run, tmp_path):
    run = FinishedRun(
        made_run(
            tmp_path / "run", tasks=["a"], methods=["naive", "linear-probe", "finetune-then-probe"]
        )
    )
    frame = {kind.name: frame for kind, frame in figures_of([run])}["saliency"]
    scores = dict(frame.select("setting", "score").iter_rows())
    line = {x.method: x for x in run.lines()}["linear-probe"]
    assert scores["linear probe on weak labels"] == line.recovered.student
    assert scores["linear probe on ground truth"] == line.probe_ceiling
    assert scores["finetuned on ground truth"] == line.recovered.ceiling
    assert (frame["low"] < frame["score"]).all()
    assert (frame["score"] < frame["high"]).all()


def test_bars_have_the_digits_of_the_text(frames, run):
    text = FIGURES.get("scores").describe(frames["scores"]).alt
    numbers = set(re.findall(r"\d\.\d{3}", text))
    assert len(numbers) > 2
    assert numbers <= shown("scores", frames["scores"], run)


def test_every_figure_says_what_it_shows_and_can_be_drawn(each, frames_of_each):
    run, styles = each, method_styles(each.config.methods)
    for name, frame in frames_of_each.items():
        kind = FIGURES.get(name)
        with styled():
            svg = inline_svg(kind.draw(frame, styles), "x")
        tree = ET.fromstring(svg)
        assert not re.findall(r'id="(?!x-)', svg), name
        assert "<image" not in svg, "nothing is a raster"
        assert not [c for c in DARK if c in svg]
        # Text keeps its numbers, shapes two decimals.
        assert not re.search(r'd="[^"]*\.\d{3}', svg)
        words = " ".join(t for e in tree.iter() if e.tag.endswith("text") for t in e.itertext())
        assert all(m in words for m in run.config.methods), name
        assert kind.describe(frame).title
        assert all(m in kind.describe(frame).alt for m in run.config.methods) or name == "tasks"
        assert kind.describe(frame).note.endswith(".")


LONG = ("naive", "probe-filter:knn+confidence:warmup=0.3", "probe-filter:logistic+confidence")


def test_no_text_is_cut_by_the_edge_of_a_figure(made_run, made_overfitting, tmp_path):
    run = FinishedRun(made_run(tmp_path / "run", methods=LONG, examples=80, seeds=2))
    curves = pl.concat(
        pl.read_parquet(made_overfitting / "curves.parquet").with_columns(method=pl.lit(f"{m} {i}"))
        for m in LONG
        for i in range(3)
    )
    followed = FinishedOverfitting(copytree(made_overfitting, tmp_path / "overfitting"))
    frame = followed.table().select("task", "floor", "ceiling").unique()
    frames = [(EXPERIMENT_FIGURES.get("overfitting"), curves.join(frame, on="task"))]
    styles = method_styles([*LONG, *(f"{m} {i}" for m in LONG for i in range(3))])
    for kind, frame in [*figures_of([run]), *frames]:
        with styled():
            figure = kind.draw(frame, styles)
            figure.draw_without_rendering()
            texts = [*figure.texts, *(t for x in figure.legends for t in x.get_texts())]
            for axes in figure.axes:
                texts += [*axes.texts, axes.title, axes.xaxis.label, *axes.get_yticklabels()]
        for text in filter(Text.get_text, texts):
            box = text.get_window_extent()
            assert box.x0 > -1, (kind.name, text)
            assert box.x1 < figure.bbox.x1 + 1, (kind.name, text)


def test_listing_figures_loads_nothing_heavy():
    code = "import sys; from weak2strong.report.figures import FIGURES; list(FIGURES); "
    code += "print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"matplotlib", "polars", "numpy", "torch"} & set(done.stdout.split())


def test_text_in_a_picture_keeps_all_digits():
    with styled():
        figure, axes = new_figure()
        axes.set_title("0.12345 $x$ <b> #1b1f24")
        svg = inline_svg(figure, "x")
    assert "0.12345 $x$ &lt;b&gt; #1b1f24" in svg


def test_styles_do_not_depend_on_order_or_company_of_later_methods():
    every = list(METHODS)
    assert method_styles(["confidence", "naive"]) == method_styles(["naive", "confidence"])
    assert method_styles(["naive", "kl"])["naive"] == method_styles(every)["naive"]
    assert len(set(method_styles(every).values())) == len(every), (
        "colour and mark tell any two apart"
    )
    few = method_styles([*every[:4], *every[-4:]])
    assert len({style.colour for style in few.values()}) == 8


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
    styles = method_styles(run.config.methods)
    figures = [(kind, f) for kind, f in figures_of([run]) if kind.name in ("scores", "pgr")]
    written = export(figures, styles, tmp_path, ["pdf", "svg", "png"])
    assert len(written) == 2 * 4 + 1
    assert {p.suffix for p in written} == {".pdf", ".svg", ".png", ".csv", ".txt"}
    heads = {".pdf": b"%PDF", ".png": b"\x89PNG", ".svg": b"<?xml"}
    for path in written:
        assert path.read_bytes().startswith(heads.get(path.suffix, b""))
    frame = pl.read_csv(tmp_path / "scores.csv")
    assert frame["score"].to_list() == {k.name: f for k, f in figures}["scores"]["score"].to_list()
    assert "pgr: " in (tmp_path / "captions.txt").read_text()
    # What could differ is of the formats, not of the figures.
    again = export(figures[:1], styles, tmp_path / "again", ["pdf", "svg"])
    assert len(again) == 4
    for path in again[:-1]:
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_a_format_that_is_none_is_refused_with_the_nearest(run, tmp_path):
    with pytest.raises(UserError, match="did you mean svg"):
        export(figures_of([run]), method_styles(run.config.methods), tmp_path / "no", ["svgz"])
    assert not (tmp_path / "no").exists()


def test_a_plugin_that_is_gone_still_has_a_style():
    assert method_styles(["naive", "my-own", "my-other"])["my-own"].colour
