"""What a run says beneath its table: true sentences, and commands to be given as they stand."""

import re
import shlex

import pytest

from weak2strong.analysis.finished import FinishedRun
from weak2strong.cli.parsed import parsed
from weak2strong.report.ending import _lines, ending, next_commands, said

FLAT = {"floor": 1.5, "student": 1.5, "ceiling": 1.5}
UPSIDE_DOWN = {"floor": 3.5, "student": 2.0, "ceiling": 1.0}
CHANCE = {"floor": 0.0, "student": 1.5, "ceiling": 3.5}


@pytest.fixture
def made(made_run, tmp_path):
    def made(*tasks, **more):
        return FinishedRun(made_run(tmp_path / "run", tasks or ("atlas-asia",), **more))

    return made


def test_the_share_of_the_gap_is_told_for_each_method(made):
    run = made(seeds=5, step=0.3)
    found, means = said(run)
    for line in run.lines():
        r = line.recovered
        assert f"{100 * r.value:.0f}% of the gap (PGR {r.value:.2f}, 95% interval" in found
    assert re.match(r"Students of naive recover .*; those of confidence recover .*\.$", found)
    assert "other seeds and test examples would give for this task" in means


def test_over_tasks_it_is_the_mean_of_those_with_a_gap(made):
    run = made("a-task", "b-task", seeds=5)
    found, means = said(run)
    mean = run.over.methods["naive"].mean
    assert found.startswith("On 2 tasks, students of naive recover ")
    assert f"(mean PGR {mean:.2f}, 95% interval " in found
    assert "for these tasks" in means


def test_of_many_methods_the_lowest_and_the_highest_are_told(made):
    run = made(methods=("naive", "kl", "entropy", "window"), seeds=5, step=0.3)
    (low, *_, high) = sorted((x.recovered.value, x.method) for x in run.lines())
    expected = f"PGR of 4 methods goes from {low[0]:.2f} ({low[1]}) to {high[0]:.2f} ({high[1]})."
    assert said(run)[0] == expected


@pytest.mark.parametrize(
    ("more", "found", "means"),
    [
        ({"skills": FLAT, "seeds": 5}, "the ceiling is not clearly above the floor", "stronger"),
        ({"skills": UPSIDE_DOWN, "seeds": 5}, "lies below 0.", "look at its training"),
        ({"skills": CHANCE, "seeds": 5}, "Students of naive ", "next to nothing to learn"),
        ({"seeds": 1}, "(PGR ", "what other test examples would give"),
    ],
    ids=["no gap", "ceiling below floor", "supervisors at chance", "one seed"],
)
def test_what_a_number_does_not_say_is_said(made, more, found, means):
    one, other = said(made(**more))
    assert found in one
    assert means in other


def test_without_a_gap_on_any_task_there_is_no_share(made):
    found, _ = said(made("a-task", "b-task", skills=FLAT, seeds=5))
    assert found == (
        "PGR is undefined: on 2 of 2 tasks, and on all together, the ceiling is not clearly above "
        "the floor."
    )


def test_a_method_that_sees_ground_truth_is_marked(made):
    assert "students of few-shot, which see ground truth, recover" in (
        said(made(methods=("naive", "few-shot"), seeds=5))[0].replace("those", "students")
    )


def test_commands_can_be_given_as_they_stand(made, tmp_path):
    run = made(seeds=3)
    commands = dict(next_commands(run, tmp_path / "a store"))
    assert list(commands) == ["Your own data", "Your own method", "More seeds"]
    given = [parsed(shlex.split(c)[1:]) for many in commands.values() for c in many]
    assert [type(c).__name__ for c in given] == ["Export", "Run", "Methods", "Run", "Run"]
    assert given[-1].study == run.folder / "study.yaml"
    assert given[-1].seeds == 6
    assert {g.store for g in given if hasattr(g, "store")} == {tmp_path / "a store"}


def test_data_of_ones_own_are_looked_into(made):
    commands = dict(next_commands(made("a-task")))
    assert commands["What your data hold"] == [f"w2s audit {made('a-task').folder}"]


def test_a_plugin_of_ones_own_is_not_asked_for_again(made, tmp_path):
    (tmp_path / "mine.py").write_text("")
    run = made(plugins=(tmp_path / "mine.py",))
    commands = dict(next_commands(run))
    assert commands["Its methods against each other"] == [f"w2s compare {run.folder}"]
    assert "Your own method" not in commands


@pytest.mark.parametrize("width", [60, 80])
def test_a_command_that_is_too_wide_goes_on_as_shells_read_it(made, width):
    run = made()
    lines = ending(run, width=width)
    shown = "\n".join(lines).replace(" \\\n", " ")
    for commands in dict(next_commands(run)).values():
        for command in commands:
            assert command in " ".join(shown.split())
    told = lines[lines.index("Look at it:") :]
    # A path alone may be longer than a line.
    assert all(len(line) <= width or "/" in line for line in told)


def test_a_path_with_spaces_stays_whole_in_a_command_that_is_too_wide():
    command = "w2s run '/a b/c d/study.yaml' --seeds 6"
    lines = _lines(command, 24)
    assert len(lines) > 2
    assert shlex.split("\n".join(lines).replace("\\\n", " ")) == shlex.split(command)


def test_the_page_is_named_where_it_is_there(made, monkeypatch):
    run = made()
    assert f"  w2s report {run.folder} --open" in ending(run)
    (run.folder / "report.html").write_text("")
    assert f"  {run.folder / 'report.html'}" in ending(run)
    (run.folder.parent / "runs").mkdir()
    (run.folder.parent / "runs" / "latest").symlink_to(run.folder)
    monkeypatch.chdir(run.folder.parent)
    (run.folder / "report.html").unlink()
    told = ending(run)
    assert "  w2s report runs/latest --open" in told
    # The run of one's own data, which is told between, is the latest one then.
    assert f"  w2s run {run.folder}/study.yaml --seeds 6" in told
