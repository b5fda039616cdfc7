"""Studies with plugins: what is made again after an edit, in workers, and what is refused."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from weak2strong.analysis.finished import Results
from weak2strong.cli import main
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.engine.local import Plan
from weak2strong.engine.plan import plan_study
from weak2strong.engine.run import run_study
from weak2strong.ground.errors import UserError
from weak2strong.ground.plugins import load_plugins
from weak2strong.ground.store import Store
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks import TASKS
from weak2strong.tasks.splits import Splits, make_splits

METHOD = """
import numpy as np
import weak2strong as w2s

@w2s.method("mine")
def mine(context, *, flip: bool = False):
    \"\"\"As naive does.\"\"\"
    return context.finetune(context.weak_labels)
"""

LOSS = """
from dataclasses import dataclass
import weak2strong as w2s

@w2s.loss("squared")
@dataclass(frozen=True)
class Squared(w2s.RowLoss):
    \"\"\"The squared distance.\"\"\"

    def per_example(self, logits, targets, fraction, statistics):
        return 1 * (logits.float().softmax(dim=-1) - targets).square().sum(dim=-1)
"""

PROBE = """
from dataclasses import dataclass
import weak2strong as w2s

@w2s.probe("constant")
@dataclass(frozen=True)
class Constant(w2s.Answering):
    \"\"\"The same for all.\"\"\"

    def predict(self, features, labels, asked):
        return labels.mean(axis=0)[None].repeat(len(features if asked is None else asked), axis=0)
"""

TASK = """
import weak2strong as w2s

@w2s.task("parity", classes=["even", "odd"])
def parity():
    \"\"\"Is it odd?\"\"\"
    items = [w2s.Item(str(n), str(n), f"The number {n}") for n in range(200)]
    return [w2s.Example(item, int(item.id) % 2) for item in items]
"""


@pytest.fixture(scope="module")
def splits() -> Splits:
    """A part of a real task, with every class in every split."""
    whole = make_splits(TASKS.get("atlas-southern"))
    names = ("weak_train", "strong_train", "validation", "test")
    return Splits(*(tuple(whole.examples(s)[::8]) for s in names))


def desk(config: StudyConfig, store: Path, splits: Splits) -> TaskRun:
    """Where the stages of a study on that part are made."""
    return TaskRun(
        resolved(config), Store(store), "atlas-southern", TASKS.get("atlas-southern"), splits
    )


@pytest.fixture(scope="module")
def begun(quick_study, splits, tmp_path_factory) -> Path:
    """A store that has the supervisor and what its labels teach in a single step."""
    store = tmp_path_factory.mktemp("begun") / "store"
    step = replace(quick_study.strong_training, steps=1, epochs=1)
    stages.student(desk(replace(quick_study, strong_training=step), store, splits), "naive", 0)
    shutil.rmtree(store / "student")
    return store


@pytest.fixture
def made(quick_study, tmp_path, splits, begun):
    """Writes a plugin and makes a student with it: whether each stage was there already.

    The stages are those below the student's, then the student's own.
    """
    shutil.copytree(begun, tmp_path / "store")

    def make(method: str, plugin: str = METHOD, name: str = "mine.py", **changes):
        path = tmp_path / name
        path.write_text(plugin)
        training = replace(quick_study.strong_training, **changes)
        study = replace(quick_study, strong_training=training, plugins=(path,))
        task_run = desk(study, tmp_path / "store", splits)
        stages.supervisor(task_run, 0)
        task_run.used.clear()
        found = stages.student(task_run, method, 0)
        assert set(found) == set(stages.PREDICTED)
        return [(u.stage, u.reused) for u in task_run.used if u.key != _supervisor(task_run)]

    yield make
    load_plugins(())


def _supervisor(task_run: TaskRun) -> str:
    return task_run.used[0].key


NEW_STUDENT = [("finetune", True), ("student", False)]
ALL_NEW = [("finetune", False), ("student", False)]
NOTHING_NEW = [("student", True)]


def test_an_edited_method_is_run_again_on_the_same_fits(made):
    assert made("naive") == ALL_NEW
    assert made("mine") == NEW_STUDENT
    assert made("mine") == NOTHING_NEW
    edited = METHOD.replace("As naive", "Just as naive")
    assert made("mine", edited) == NEW_STUDENT
    assert made("naive", edited) == NOTHING_NEW
    assert made("mine") == NOTHING_NEW


def test_an_edited_loss_is_trained_with_again_and_others_are_not(made):
    assert made("naive", LOSS) == ALL_NEW
    assert made("squared", LOSS) == ALL_NEW
    assert made("squared", LOSS) == NOTHING_NEW
    edited = LOSS.replace("1 *", "2 *")
    assert made("squared", edited) == ALL_NEW
    assert made("confident-only+squared", edited) == ALL_NEW
    assert made("naive", edited) == NOTHING_NEW


def test_an_edited_probe_answers_again(made):
    states = ("activations", False)
    assert made("probe-predict:constant", PROBE) == [states, ("student", False)]
    edited = PROBE.replace("The same", "One")
    assert made("probe-predict:constant", edited) == [("activations", True), ("student", False)]
    assert made("probe-predict:knn", edited)[-1] == ("student", False)
    assert made("probe-predict:knn", PROBE) == [("student", True)]


RETURNS = {
    "None": "returns NoneType, and not predictions by split",
    "found['test']": "returns Predictions, and not predictions by split",
    "context": "returns a context and does not say so: give it prepares=True",
    "{s: found[s] for s in ('strong_train', 'test')}": "returns nothing for validation",
    "found | {'test': found['test'].probabilities}": "returns ndarray for test",
    "found | {'test': found['validation']}": r"for test without \d+ of its \d+ examples, such as",
    "found | {'test': w2s.joined(found['test'], found['validation'])}": r"test with \d+ ids that",
    "changed(p * np.nan)": "for test with a NaN or an infinity",
    "changed(p * 2)": "for test whose rows are no probabilities",
    "changed(p - [[1, -1]])": "for test whose rows are no probabilities",
    "changed(np.c_[p, 0 * p])": r"for test of shape \(\d+, 4\): there are \d+ .* and 2 classes",
    "changed(p[:, 1])": r"for test of shape \(\d+,\)",
    "changed(p.astype(str))": "for test that are no numbers",
    "changed(p, 'generation')": "of the kind 'generation', and the task is a classification",
}


@pytest.mark.parametrize(("returned", "sentence"), RETURNS.items(), ids=RETURNS)
def test_nonsense_that_a_method_returns_is_told_and_not_kept(made, tmp_path, returned, sentence):
    nonsense = f"""
    found = dict(context.finetune(context.weak_labels))
    p = found["test"].probabilities
    def changed(p, kind="classification"):
        return found | {{"test": w2s.Predictions(found["test"].ids, p, kind)}}
    return {returned}
"""
    text = METHOD.replace("    return context.finetune(context.weak_labels)\n", nonsense)
    with pytest.raises(UserError, match=f"^The method 'mine' .*{sentence}"):
        made("mine", text, steps=1, epochs=1)
    assert not list(tmp_path.glob("store/student/*/manifest.json"))


def test_a_step_that_returns_no_context_is_told(made):
    text = METHOD.replace('"mine"', '"mine", prepares=True')
    with pytest.raises(UserError, match=r"mine\.py prepares another, and returns dict"):
        made("mine+confidence", text, steps=1, epochs=1)


def test_a_method_that_asks_for_the_truth_must_say_so(made):
    asks = 'context.truth("strong_train")\n    return'
    text = METHOD.replace("return", asks)
    with pytest.raises(UserError, match="'mine' asks for ground truth, and does not say so: give"):
        made("mine", text, steps=1, epochs=1)
    says = text.replace('"mine"', '"mine", needs=["truth"]')
    assert made("mine", says, steps=1, epochs=1)[-1] == ("student", False)


@pytest.mark.parametrize(
    ("asks", "need"),
    [
        ("context.supervisors(2)", "supervisor"),
        ("context.intermediates", "intermediates"),
        ('context.finetune(context.weak_labels, model="any")', "intermediates"),
    ],
)
def test_a_method_that_asks_for_other_models_must_say_so(made, asks, need):
    """These models are in the key of its students only then."""
    text = METHOD.replace("return", f"{asks}\n    return")
    with pytest.raises(UserError, match=rf'does not say so: give it needs=\("{need}",\)'):
        made("mine", text, steps=1, epochs=1)


@pytest.fixture
def study(quick_study, tmp_path) -> StudyConfig:
    """A study of naive and a plugin's method and loss, on a plugin's task."""
    texts = {"mine.py": METHOD, "loss.py": LOSS, "task.py": TASK}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    short = replace(quick_study.strong_training, epochs=1, steps=2)
    yield replace(
        quick_study,
        weak_training=short,
        strong_training=short,
        methods=("naive", "mine", "squared"),
        tasks=("parity",),
        plugins=tuple(tmp_path / name for name in texts),
    )
    load_plugins(())


def test_a_plan_counts_the_fits_of_plugins(study):
    plan = plan_study(study)
    students = {s.name: s.fits for s in plan.stages if s.name.startswith("student")}
    assert students == {"student naive": 1, "student mine": 0, "student squared": 1}


def test_worker_processes_know_the_plugins(study, tmp_path):
    folder = run_study(study, tmp_path / "run", tmp_path / "store", plan=Plan(workers=2, threads=1))
    table = pl.read_parquet(folder / "results.parquet").filter(metric="accuracy")
    students = dict(zip(table["method"], table["student"], strict=True))
    assert set(students) == {"naive", "mine", "squared"}
    assert students["mine"] == students["naive"]
    # Started from its own study.yaml, and by this process: all that the workers made is found.
    again = StudyConfig.from_yaml((folder / "study.yaml").read_text())
    run_study(again, folder, tmp_path / "store", plan=Plan(workers=1, threads=1))
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    starts = [i for i, e in enumerate(events) if e["event"] == "start"]
    assert all(e["reused"] for e in events[starts[-1] :] if e["event"] == "step")


def test_a_run_without_its_plugin_still_says_who_saw_ground_truth(study, tmp_path, capsys):
    says = METHOD.replace('"mine"', '"mine", needs=["truth"]')
    (tmp_path / "mine.py").write_text(says)
    two = replace(study, seeds=2)
    folder = run_study(two, tmp_path / "run", tmp_path / "store", plan=Plan(1, 1))
    load_plugins(())
    lines = Results(folder).lines()
    assert {line.method: line.oracle for line in lines} == {
        "naive": False,
        "mine": True,
        "squared": False,
    }
    students = Results(folder).analyses().tables["agreement"].select("method", "oracle").unique()
    assert students.filter("oracle")["method"].to_list() == ["mine"]
    assert main(["compare", str(folder)]) == 0
    assert "Left out since they saw ground truth (oracle): mine." in capsys.readouterr().out


READING = """
import weak2strong as w2s

@w2s.method("read-again", prepares=True, reads=True, needs=["decoder", "trunk"])
def read_again(context, *, times: int = 2):
    \"\"\"The texts, several times over.\"\"\"
    return context.after_reading(times)
"""


def test_the_ceiling_of_a_plugin_that_reads_first_has_read_too(quick_study, tmp_path):
    """As that of generative, and a table shows it whether or not the plugin is there."""
    path = tmp_path / "reading.py"
    path.write_text(READING)
    short = replace(quick_study.strong_training, epochs=1, steps=2)
    methods = ("read-again:3", "generative:epochs=3")
    study = replace(
        quick_study,
        weak_training=short,
        strong_training=short,
        methods=methods,
        plugins=(path,),
    )
    folder = run_study(study, tmp_path / "run", tmp_path / "store", plan=Plan(1, 1))
    load_plugins(())
    ceilings = Results(folder).predictions.filter(role="ceiling", seed=0)
    first, ours, plain = (
        ceilings.filter(method=method)["probabilities"].to_list() for method in (*methods, "")
    )
    assert first == ours
    assert first != plain
    lines = Results(folder).lines()
    assert lines[0].reading is not None
    assert lines[0].reading.ceiling == lines[1].reading.ceiling


def test_only_a_step_can_read(tmp_path):
    path = tmp_path / "reading.py"
    path.write_text(READING.replace("prepares=True, ", ""))
    with pytest.raises(UserError, match="'read-again' says reads=True, and only a step can"):
        load_plugins((path,))


SCRIPT = """
from weak2strong import Study
{plugin}
study = Study.from_yaml(open("study.yaml").read())
for _ in range({times}):
    results = study.run("run", "store")
    print(results.table()["method"].to_list())
"""

AS_A_SCRIPT = """
import os, runpy, sys
os.chdir(arguments[0])
with open("out", "w") as sys.stdout, open("err", "w") as sys.stderr:
    runpy.run_path(os.path.abspath("script.py"), run_name="__main__")
"""


def test_a_script_runs_its_own_things_in_one_process(study, tmp_path, copied):
    """Without a main guard, and without naming itself as a plugin; its file is in the key.

    Another process finds what does not depend on it.
    """
    rung = ModelSpec("atlas-xs")
    config = replace(study, methods=("naive", "mine"), plugins=(), weak=rung, strong=rung)
    (tmp_path / "study.yaml").write_text(config.to_yaml())

    def run(plugin, times):
        """Whether each run reused the students of naive, and those of mine."""
        (tmp_path / "script.py").write_text(SCRIPT.format(plugin=plugin, times=times))
        process = copied(AS_A_SCRIPT, tmp_path)
        process.join()
        out, err = ((tmp_path / name).read_text() for name in ("out", "err"))
        assert process.exitcode == 0, err
        assert out == "['naive', 'mine']\n" * times
        steps = [line.rpartition(": ") for line in err.splitlines()]
        (start, *_) = (tmp_path / "run" / "events.jsonl").read_text().splitlines()
        assert json.loads(start)["workers"] == 1
        return [
            [took == "reused" for name, _, took in steps if f"student {method}" in name]
            for method in ("naive", "mine")
        ]

    assert run(TASK + METHOD, times=2) == [[False, True], [False, True]]
    assert run(TASK + METHOD + "\nx = 1", times=1) == [[True], [False]]
