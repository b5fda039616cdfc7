"""compare, power, verify and the table over tasks, on a run folder that was made by hand."""

import json
import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy import stats

from weak2strong.analysis.comparison import compare_runs
from weak2strong.analysis.finished import FinishedRun
from weak2strong.cli import main
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.ground.metrics import METRICS
from weak2strong.report.figures.pgr_by_task import PGR_BY_TASK
from weak2strong.report.figures.style import method_styles, styled

RATES = Training(learning_rate=1e-4, head_rate=1e-3)
TASKS = tuple(f"task-{i}" for i in range(8))
METHODS = ("naive", "confidence", "kl")
N, SEEDS = 300, 3

FLAT = "task-7"
"""The one task whose ceiling is at its floor."""


def accuracies(task: int) -> dict[tuple[str, str], float]:
    """What each role scores on a task; confidence is better than naive everywhere."""
    floor = 0.6 + 0.005 * task
    return {
        ("floor", ""): floor,
        ("ceiling", ""): floor if TASKS[task] == FLAT else 0.9,
        ("student", "naive"): floor + 0.1,
        ("student", "confidence"): floor + 0.12 + 0.01 * task,
        ("student", "kl"): floor + 0.1,
    }


def answers(accuracy: float, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Probabilities (n, 2) that are right on just that share of the examples."""
    right = rng.permutation(len(labels)) < round(accuracy * len(labels))
    says = np.where(right, labels, 1 - labels)
    return np.where(says[:, None] == np.arange(2), 0.8, 0.2)


def make_run(folder, shift: float = 0.0, seeds: int = SEEDS, tasks: int = 8, **changes):
    """A run folder with what `w2s run` writes, as far as tables need it."""
    methods = changes.get("methods", METHODS)
    config = StudyConfig(
        tasks=TASKS[:tasks],
        methods=methods,
        seeds=seeds,
        weak=ModelSpec("small"),
        strong=ModelSpec("large"),
        weak_training=RATES,
        strong_training=RATES,
    )
    config = replace(config, **{k: v for k, v in changes.items() if k != "methods"})
    folder.mkdir(parents=True)
    (folder / "study.yaml").write_text(config.to_yaml())
    rows, results, agreement = [], [], []
    for t, task in enumerate(config.tasks):
        rng = np.random.default_rng(t)
        labels = rng.integers(2, size=N)
        common = {
            "task": task,
            "kind": "classification",
            "id": [f"{task}-{i:03}" for i in range(N)],
            # All tasks ask about the same entities, two examples each.
            "group": [f"city:{i // 2}" for i in range(N)],
            "label": labels,
        }
        scores = {}
        shares = {("probe", ""): 0.85, ("ngrams", ""): 0.55} | accuracies(t)
        for (role, method), share in shares.items():
            if role == "student" and method not in methods:
                continue
            for seed in range(seeds) if role in ("floor", "ceiling", "student") else (-1,):
                wobble = 0.01 * (seed - 1) if role == "student" else 0.0
                more = shift if method == "confidence" else 0.0
                own = np.random.default_rng([t, seed + 1, len(role), len(method) % 3])
                p = answers(share + wobble + more, labels, own)
                order = {"role": role, "method": method, "seed": seed}
                rows.append(pl.DataFrame(common | order | {"probabilities": p.tolist()}))
                for m, score in METRICS["classification"].items():
                    scores[role, method, seed, m] = float(score(p, labels))
        for method in methods:
            for seed in range(seeds):
                agreement.append(
                    {
                        "task": task,
                        "method": method,
                        "seed": seed,
                        "split": "strong_train",
                        "examples": 50,
                        "agreement": 0.75,
                    }
                )
                for m in METRICS["classification"]:
                    results.append(
                        {
                            "task": task,
                            "method": method,
                            "seed": seed,
                            "metric": m,
                            "floor": scores["floor", "", seed, m],
                            "student": scores["student", method, seed, m],
                            "ceiling": scores["ceiling", "", seed, m],
                        }
                    )
    pl.concat(rows).write_parquet(folder / "predictions.parquet")
    pl.DataFrame(results).write_parquet(folder / "results.parquet")
    pl.DataFrame(agreement).write_parquet(folder / "agreement.parquet")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return str(make_run(tmp_path_factory.mktemp("statistics") / "run"))


def said(capsys, *command: str, code: int = 0) -> str:
    """What a command prints, which ends with that code."""
    capsys.readouterr()
    assert main(list(command)) == code
    shown = capsys.readouterr()
    return shown.out if code == 0 else shown.err


def values(capsys, *command: str):
    """What a command prints as JSON."""
    return json.loads(said(capsys, *command, "--json"))


def test_the_table_ends_with_pgr_over_tasks(run, capsys):
    shown = said(capsys, "table", run)
    assert "mean of 7" in shown
    assert "median of 7" in shown
    assert "pooled over 8" in shown
    assert f"interval of the gap reaches 0 (or lies below): {FLAT}." in shown
    assert "So mean and median speak of tasks on which these models have a gap" in shown


def test_the_page_has_pgr_over_tasks_too(run, tmp_path, capsys):
    page = tmp_path / "page.md"
    said(capsys, "table", run, "--markdown", str(page))
    text = page.read_text()
    assert "| PGR over tasks [95%] | mean of 7 | median of 7 | pooled over 8 |" in text
    assert f"(or lies below): {FLAT}." in text


def test_compare_prints_every_method_and_what_to_know(run, capsys):
    shown = said(capsys, "compare", run)
    assert "Methods against naive over 8 tasks: accuracy of the student" in shown
    assert "Holm over a family of 1 method." in shown
    assert "confidence beats naive on 8 of 8 tasks, and is 0.055 better on average" in shown
    assert "p = .004 after Holm <= 0.05" in shown
    assert "kl has the same gradient as naive" in shown
    assert "warning: 8 tasks share test entities with another one." in shown
    assert "these tasks [95%]" in shown


def test_compare_as_json_has_the_differences_of_the_results(run, capsys):
    found = values(capsys, "compare", run)
    assert found["score"] == "accuracy of the student"
    confidence, kl = found["compared"]
    assert (confidence["wins"], confidence["ties"], confidence["losses"]) == (8, 0, 0)
    expected = {t: pytest.approx(0.02 + 0.01 * i, abs=0.004) for i, t in enumerate(TASKS)}
    assert confidence["differences"] == expected
    assert confidence["p"] == 1 / 256
    assert kl["adjusted"] is None
    assert 0 <= confidence["common_variance"] < 1
    assert confidence["widened"] >= 1
    low, high = confidence["on_these_tasks"]
    assert low < confidence["effect"]["mean"] < high


def test_a_comparison_is_at_the_level_of_one_in_twenty(run):
    facts = compare_runs([FinishedRun(run)]).facts
    assert (facts["level"], facts["baseline"], facts["test"]) == (
        0.05,
        "naive",
        "wilcoxon-one-sided",
    )


def test_compare_on_pgr_divides_by_the_gap_and_leaves_out_tasks_without(run, capsys):
    found = values(capsys, "compare", run, "--score", "pgr")
    score = values(capsys, "compare", run)["compared"][0]["differences"]
    pgr = found["compared"][0]["differences"]
    assert set(pgr) == set(TASKS) - {FLAT}
    for i, task in enumerate(TASKS[:-1]):
        assert pgr[task] == pytest.approx(score[task] / (0.3 - 0.005 * i), rel=0.02)
    assert any("Left out" in w and FLAT in w for w in found["warnings"])


@pytest.mark.parametrize("baseline", ["floor", "ceiling"])
def test_all_methods_are_compared_with_their_supervisors_or_the_ceilings(
    baseline, tmp_path, capsys
):
    """By the tests of SciPy. Two runs: then luck with entities of both tasks is not counted."""
    names = ("naive", "confidence")
    runs = [str(make_run(tmp_path / name, methods=(name,))) for name in names]
    found = values(capsys, "compare", *runs, "--baseline", baseline, "--test", "t-two-sided")
    cells = pl.concat(pl.read_parquet(tmp_path / n / "results.parquet") for n in names)
    means = cells.filter(metric="accuracy").drop("metric").group_by("method", "task").mean()
    assert found["family"] == list(names)
    for one in found["compared"]:
        of_task = means.filter(method=one["method"]).sort("task")
        by = (of_task["student"] - of_task[baseline]).to_numpy()
        assert list(one["differences"].values()) == pytest.approx(by)
        for sides, way in (("one_sided", "greater"), ("two_sided", "two-sided")):
            t = stats.ttest_1samp(by, 0, alternative=way).pvalue
            ranks = stats.wilcoxon(by, alternative=way, method="exact").pvalue
            assert one["tests"]["t"][sides] == pytest.approx(t)
            assert one["tests"]["wilcoxon"][sides] == pytest.approx(ranks)
        assert one["effect"]["mean"] == pytest.approx(by.mean())
    ps = [one["p"] for one in found["compared"]]
    assert min(one["adjusted"] for one in found["compared"]) == pytest.approx(2 * min(ps))
    assert f"beats the {baseline} on" in found["notes"][-1]


def test_one_run_against_its_supervisors_has_the_interval_for_these_tasks(run, capsys):
    shown = said(capsys, "compare", run, "--baseline", "floor")
    assert "Methods against the floor over 8 tasks: accuracy of the student" in shown
    assert "Holm over a family of 2 methods." in shown
    found = values(capsys, "compare", run, "--baseline", "floor")
    by_name = {one["method"]: one for one in found["compared"]}
    low, high = by_name["naive"]["on_these_tasks"]
    assert low < 0.1 < high < by_name["confidence"]["on_these_tasks"][1]
    assert by_name["kl"]["same_as"] == "naive"
    pgr = values(capsys, "compare", run, "--baseline", "ceiling", "--score", "pgr")
    assert max(pgr["compared"][0]["differences"].values()) < 0


def test_saturated_tasks_are_left_out_of_comparisons_at_the_cut_that_is_given(run, capsys):
    """The floors are 0.6 to 0.635, and all ceilings are above 0.6."""
    table = values(capsys, "table", run, "--saturated", "0.622")
    compared = values(capsys, "compare", run, "--saturated", "0.622")
    left, told = "task-5, task-6, task-7", "floor and ceiling are both above 0.622 (saturated)"
    assert set(compared["compared"][0]["differences"]) == set(TASKS[:5])
    assert f"Left out since {told}; --saturated 1 keeps them: {left}." in compared["warnings"]
    assert f"Left out since {told}: {left}." in table["notes"]
    assert "over_tasks" in table
    whole = values(capsys, "compare", run)["compared"][0]
    assert len(whole["differences"]) == 8
    # The interval for these tasks is that of a run of these tasks alone.
    at, of_all = compared["compared"][0]["on_these_tasks"], whole["on_these_tasks"]
    assert sum(at) / 2 == pytest.approx(compared["compared"][0]["effect"]["mean"])
    assert sum(at) < sum(of_all)
    claims = FinishedRun(run, saturated=0.622).claims
    assert claims.saturated == TASKS[5:]
    ours = claims.differences["confidence"].interval
    assert [ours.low, ours.high] == pytest.approx(at)
    refused = said(capsys, "compare", run, "--saturated", "0.1", code=2)
    assert "On every task floor and ceiling are both above 0.1" in refused


def test_the_figure_of_pgr_by_task_names_and_sorts_tasks_and_has_both_means(run):
    finished = FinishedRun(run, saturated=0.622)
    frame = PGR_BY_TASK.data(finished)
    assert frame is not None
    mean = {
        task: np.mean([line.recovered.value for line in lines])
        for task, lines in finished.by_task.items()
        if task != FLAT
    }
    for method in METHODS:
        rows = frame.filter(method=method)
        tasks, (whole, pooled) = rows.filter(of="task"), rows[-2:].to_dicts()
        assert tasks["name"].to_list() == [*sorted(mean, key=mean.__getitem__)[::-1], FLAT]
        assert tasks["pgr"][-1] is None
        counts = dict(tasks.select("name", "counts").iter_rows())
        assert counts == {task: task in TASKS[:5] for task in TASKS}
        over = finished.over.methods[method]
        assert (whole["name"], whole["pgr"]) == ("mean of 5", over.mean)
        assert (pooled["name"], pooled["pgr_high"]) == ("pooled over 8", over.pooled_interval.high)
    with styled():
        figure = PGR_BY_TASK.draw(frame, method_styles(METHODS))
    assert [axes.get_title(loc="left") for axes in figure.axes] == list(METHODS)
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert names == frame.filter(method="naive")["name"].to_list()
    assert "confidence 0.40 (task-0) to 0.67 (task-6)" in PGR_BY_TASK.describe(frame).title
    one = frame.filter(method="confidence", of="task", name="task-0")
    assert PGR_BY_TASK.describe(one).title == "PGR by task: confidence 0.40 (task-0)"


def test_the_study_fixes_the_cut_of_saturated_tasks(tmp_path, capsys):
    easy = str(make_run(tmp_path / "easy", saturated=0.622))
    found = values(capsys, "compare", easy)
    assert len(found["compared"][0]["differences"]) == 5
    assert (
        len(values(capsys, "compare", easy, "--saturated", "1")["compared"][0]["differences"]) == 8
    )


def test_the_study_names_the_primary_test_and_another_one_is_exploratory(run, tmp_path, capsys):
    t = str(make_run(tmp_path / "t", primary_test="t-two-sided"))
    found = values(capsys, "compare", t)
    assert found["test"] == "t-two-sided"
    assert found["compared"][0]["p"] == found["compared"][0]["tests"]["t"]["two_sided"]
    other = values(capsys, "compare", t, "--test", "wilcoxon-one-sided")
    assert any("is exploratory" in w for w in other["warnings"])
    assert "differ in primary_test" in said(capsys, "compare", run, t, code=2)


def test_methods_may_come_from_runs_of_one_setting_but_not_of_two(tmp_path, capsys):
    naive = str(make_run(tmp_path / "naive", methods=("naive",)))
    confidence = str(make_run(tmp_path / "confidence", methods=("confidence",)))
    elsewhere = str(make_run(tmp_path / "other", methods=("confidence",), split_seed=5))
    assert values(capsys, "compare", naive, confidence)["compared"][0]["wins"] == 8
    assert "no seed in common" in said(capsys, "compare", naive, elsewhere, code=2)


def test_compare_takes_scores_from_elsewhere(tmp_path, capsys):
    file = tmp_path / "scores.csv"
    rows = [f"{t},{m},{s}" for t in "abcdef" for m, s in (("base", 0.5), ("new", 0.6))]
    file.write_text("\n".join(["task,method,score", *rows]))
    found = values(capsys, "compare", "--csv", str(file), "--baseline", "base")
    assert found["compared"][0]["wins"] == 6
    assert found["compared"][0]["p"] == 1 / 64
    assert "Methods against base over 6 tasks" in said(
        capsys, "compare", "--csv", str(file), "--baseline", "base"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("task,method\na,b\n", "there is no column 'score'"),
        ("task,score\na,1\n", "there is no column 'method'"),
        ("method,score\na,1\n", "there is no column 'task'"),
        ("task,method,score\n", "there are no rows"),
        ("task,method,score\na,b,x\n", "conversion"),
        ("task,method,score\na,b,\n", "a cell is empty"),
        ("", "cannot be read"),
    ],
)
def test_a_csv_that_is_no_table_of_scores_is_told(tmp_path, capsys, text, message):
    file = tmp_path / "scores.csv"
    file.write_text(text)
    error = said(capsys, "compare", "--csv", str(file), code=2)
    assert message in error
    assert error.startswith("error: Scores ")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("compare", "RUN", "--baseline", "naiv"), "Unknown baseline 'naiv': did you mean naive?"),
        (("compare", "RUN", "--metric", "f2"), "Unknown metric of which more is better 'f2'"),
        (("compare", "RUN", "--metric", "brier"), "of which more is better 'brier'"),
        (("power", "RUN", "--method", "kl", "--score", "student", "--metric", "f2"), "'f2'"),
        (("compare", "RUN", "--level", "5"), "--level is a number between 0 and 1, not 5."),
        (("compare", "RUN", "--saturated", "2"), "--saturated is a number from 0 to 1, not 2."),
        (("table", "RUN", "--saturated", "-1"), "--saturated is a number from 0 to 1, not -1."),
        (("compare", "nowhere"), "holds no finished run"),
        (("compare", "--csv", "nowhere.csv"), "cannot be read"),
        (("compare", "--csv", "nowhere.csv", "--score", "pgr"), "has no floor and ceiling"),
        (("power", "RUN"), "2 methods beside naive: choose with --method (confidence, kl)"),
        (("power", "RUN", "--method", "x"), "Unknown method of this run 'x'"),
        (("power", "RUN", "--difference", "0"), "--difference is a number above 0"),
        (("power", "--variance", "0", "0"), "not both 0"),
        (("power", "--variance", "nan", "1"), "takes two numbers of 0 or more"),
        (("power", "--variance", "1", "inf"), "takes two numbers of 0 or more"),
        (("verify", "RUN", "--trusted", "151"), "--trusted takes 1 to 150, not 151"),
        (("verify", "RUN", "--trusted", "0"), "1 or more"),
        (("verify", "RUN", "--task", "task-9"), "Unknown task of this run 'task-9'"),
        (("verify", "RUN", "--student-seed", "3"), "there is no seed 3"),
    ],
)
def test_bad_input_is_one_sentence(run, capsys, command, message):
    error = said(capsys, *(run if word == "RUN" else word for word in command), code=2)
    assert message in error
    assert error.count("\n") == 1


def test_power_from_a_run_and_from_variances(run, capsys):
    shown = said(capsys, "power", run, "--method", "confidence", "--difference", "0.05")
    assert "in PGR, confidence minus naive" in shown
    assert "seen on 7 tasks with 3 seeds each" in shown
    found = values(capsys, "power", run, "--method", "confidence")
    again = values(
        capsys,
        "power",
        "--variance",
        *(str(found["variance"][name]) for name in ("between", "within")),
    )
    assert [d["power"] for d in again["designs"]] == pytest.approx(
        [d["power"] for d in found["designs"]]
    )
    halved = values(capsys, "power", "--variance", "0.01", "0.01", "--family", "2")
    assert halved["level"] == 0.025


def test_power_of_one_task_speaks_of_seeds(tmp_path, capsys):
    one = str(make_run(tmp_path / "one", tasks=1, methods=("naive", "confidence")))
    shown = said(capsys, "power", one)
    assert "Paired t-test over seeds" in shown
    assert "the answer holds for this task alone" in shown
    single = str(make_run(tmp_path / "single", seeds=1, methods=("naive", "confidence")))
    assert "run at least 2" in said(capsys, "power", single, "--score", "student", code=2)


def test_verify_says_who_is_better_and_how_well_the_student_fits(run, capsys):
    flags = ("--trusted", "150", "--methods", "confidence")
    found = values(capsys, "verify", run, *flags)["students"]
    assert [row["task"] for row in found] == list(TASKS)
    for row in found:
        v = row["verified"]
        assert v["labels"] == 150
        assert v["difference"] == pytest.approx(v["student"] - v["supervisor"])
        assert row["fit"] == 0.75
        assert (row["verdict"] == "better") == (v["p"] <= 0.05)
    assert found[-1]["verdict"] == "better"
    shown = said(capsys, "verify", run, "--task", "task-7")
    assert "100 trusted test labels a task, seed 0" in shown
    assert "fit is not in" not in shown


def test_verify_takes_right_and_wrong_from_words_as_from_classes(run, tmp_path, capsys):
    words = tmp_path / "words"
    shutil.copytree(run, words)
    frame = pl.read_parquet(words / "predictions.parquet").with_columns(
        kind=pl.lit("generation"),
        answer=pl.format("Class {}.", pl.col("probabilities").list.arg_max()),
        label=pl.concat_list(pl.lit("nothing"), pl.format("class {}", "label")),
    )
    frame.drop("probabilities").write_parquet(words / "predictions.parquet")
    flags = ("--trusted", "150", "--task", "task-0")
    found = values(capsys, "verify", str(words), *flags)["students"]
    assert found == values(capsys, "verify", run, *flags)["students"]
    assert any(0 < row["agreement"] < 1 for row in found)


def test_verify_of_an_older_run_says_what_it_lacks(tmp_path, capsys):
    folder = make_run(tmp_path / "older", tasks=1)
    (folder / "agreement.parquet").unlink()
    shown = said(capsys, "verify", str(folder))
    assert "fit is not in this run's folder: run its study again" in shown
