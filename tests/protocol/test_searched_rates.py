"""The search for rates as a stage: what it learns from, whom it serves, what the run tells."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from weak2strong.cli import main
from weak2strong.config.training import Training
from weak2strong.engine.local import Plan
from weak2strong.engine.rates import read_rates
from weak2strong.engine.run import run_study
from weak2strong.ground.folder import FolderFiles
from weak2strong.ground.metrics import brier
from weak2strong.ground.progress import Progress
from weak2strong.ground.store import Store
from weak2strong.protocol import stages
from weak2strong.protocol.halving import RULE, Lattice, rates_at
from weak2strong.protocol.stages import rates as searches
from weak2strong.protocol.steps import steps
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks import TASKS
from weak2strong.tasks.splits import Splits, make_splits


@pytest.fixture
def study(quick_study):
    quick = Training(epochs=1, stopping="none")
    return replace(
        quick_study,
        weak_training=quick,
        strong_training=quick,
        rates="search",
        methods=("naive",),
    )


@cache
def _splits(reference):
    return make_splits(TASKS.get(reference))


def run_of(study, store, examples=64, **changes):
    from weak2strong.protocol.resolve import resolved

    config = resolved(replace(study, **changes))
    (reference,) = config.tasks
    task = TASKS.get(reference)
    whole = _splits(reference)
    names = ("weak_train", "strong_train", "validation", "test")
    splits = Splits(*(tuple(whole.examples(s)[:examples]) for s in names))
    return TaskRun(config, Store(store), reference, task, splits)


def test_a_search_scores_on_what_it_has_not_learnt(study, tmp_path, monkeypatch):
    """By hand: Brier's score of the held-out examples, from the trial's own answers."""
    task_run, seen = run_of(study, tmp_path), []
    real = searches._SCORES["classification"]

    def noted(trial, checkpoint):
        seen.append(trial)
        return real(trial, checkpoint)

    monkeypatch.setitem(searches._SCORES, "classification", noted)
    found = stages.found_rates(task_run, "strong")
    truth = {e.item.id for e in task_run.splits.weak_train}
    for trial in seen:
        learnt, held_out = ({e.item.id for e in part} for part in (trial.learnt, trial.held_out))
        assert learnt | held_out == truth
        assert not learnt & held_out
        assert 0.15 < len(held_out) / len(truth) < 0.35
    assert [t["trunk"] for t in found.trials] == [t.training.learning_rate for t in seen]
    assert len(found.trials) == 15 == len(seen)
    last = [t for t in found.trials if t["round"] == 2]
    best = max(last, key=lambda t: t["score"])
    assert (found.trunk, found.head) == (best["trunk"], best["head"])


def test_the_score_is_that_of_brier(study, tmp_path):
    task_run = run_of(study, tmp_path, examples=40)
    learnt, held_out = task_run.splits.weak_train[:30], task_run.splits.weak_train[30:]
    training = Training(learning_rate=1e-3, head_rate=1e-3, steps=3, stopping="none")
    trial = searches.Trial(task_run, task_run.config.weak, training, learnt, held_out, 5)
    from weak2strong.losses import loss
    from weak2strong.models.load import load_model
    from weak2strong.training.fit import fit
    from weak2strong.training.predict import predict

    model = load_model(task_run.config.weak, "classification", 2, 5)
    fit(model, trial.learning, loss("cross-entropy"), training, 5)
    answers = predict(model, [e.item for e in held_out]).probabilities
    expected = -brier(answers, np.array([e.label for e in held_out]))
    score = searches._SCORES["classification"](trial, tmp_path / "checkpoint")
    assert score == pytest.approx(expected, abs=1e-6)


def test_a_training_that_diverges_has_the_worst_score(study, tmp_path):
    task_run = run_of(study, tmp_path, examples=40)
    examples = task_run.splits.weak_train
    training = Training(learning_rate=1e30, head_rate=1e30, steps=3, stopping="none")
    trial = searches.Trial(task_run, task_run.config.weak, training, examples, examples, 5)
    assert searches._SCORES["classification"](trial, tmp_path / "checkpoint") == searches.WORST


class Made(list):
    """Trials that were made; with the one of this number the process is killed."""

    dies_at: int | None = None


@pytest.fixture
def quick_search(monkeypatch):
    """Trials that train nothing; what they would prefer is a trunk's rate ten times the rule's."""
    made = Made()

    def score(trial, checkpoint):
        made.append(trial)
        if len(made) == made.dies_at:
            raise KeyboardInterrupt
        rule = searches.ruled_rates(trial.model)
        best, tried = rates_at(rule, (2, 0)), trial.training
        distance = [
            np.log(x / y) for x, y in zip(best, (tried.learning_rate, tried.head_rate), strict=True)
        ]
        return -float(np.square(distance).sum())

    for kind in searches._SCORES:
        monkeypatch.setitem(searches._SCORES, kind, score)
    return made


def test_one_search_serves_all_seeds_methods_and_roles(study, tmp_path, quick_search):
    """And it is made again neither for another stopping rule nor for what only students learn."""
    task_run = run_of(study, tmp_path)
    found = stages.found_rates(task_run, "strong")
    assert (found.trunk, found.head) == rates_at(searches.ruled_rates(study.strong), (2, 0))
    quick_search.clear()
    swapped = run_of(study, tmp_path, weak=study.strong, strong=study.weak)
    assert stages.found_rates(swapped, "weak") == found
    others = {
        "seeds": 7,
        "labels": "hard",
        "strong_training": replace(
            study.strong_training, stopping="weak-validation", evaluations=3
        ),
        "vary": "split",
    }
    for name, value in others.items():
        assert stages.found_rates(run_of(study, tmp_path, **{name: value}), "strong") == found
    assert quick_search == []
    for name, value in {"epochs": 2, "batch_size": 16, "weight_decay": 0.1}.items():
        training = replace(study.strong_training, **{name: value})
        stages.found_rates(run_of(study, tmp_path, strong_training=training), "strong")
        assert len(quick_search) == 15, name
        quick_search.clear()


def test_seeds_with_splits_of_their_own_share_a_search(study, tmp_path, quick_search):
    task_run = run_of(study, tmp_path, vary="split", seeds=3)
    whole = replace(task_run, splits=make_splits(task_run.task))
    used = []
    for seed in (2, 0, 1):
        one = whole.of_seed(seed)
        stages.found_rates(one, "weak")
        used.append(one.used[-1].key)
    assert len(set(used)) == 1


def test_found_rates_are_in_the_keys_of_what_is_trained_as_numbers(study, tmp_path, quick_search):
    """So a study that gives them finds the same stages."""
    task_run = run_of(study, tmp_path)
    expected = stages.supervisor(task_run, 0)
    used = task_run.used[-1]
    trunk, head = rates_at(searches.ruled_rates(study.weak), (2, 0))
    given = replace(study.weak_training, learning_rate=trunk, head_rate=head)
    again = run_of(study, tmp_path, weak_training=given)
    found = stages.supervisor(again, 0)
    assert again.used[-1].key == used.key
    np.testing.assert_array_equal(found["test"].values, expected["test"].values)


def test_a_search_that_was_killed_goes_on_where_it_was(study, tmp_path, quick_search):
    quick_search.dies_at = 5
    with pytest.raises(KeyboardInterrupt):
        stages.found_rates(run_of(study, tmp_path), "weak")
    quick_search.clear()
    quick_search.dies_at = None
    found = stages.found_rates(run_of(study, tmp_path), "weak")
    assert len(found.trials) == 15
    assert len(quick_search) == 15 - 4


def test_steps_wait_for_the_searches_that_they_need(study):
    from weak2strong.protocol.resolve import resolved

    config = resolved(replace(study, seeds=2))
    listed = {s.name: s for s in steps(config, {"t": "classification"})}
    assert list(listed)[:2] == ["t rates weak", "t rates strong"]
    assert listed["t supervisor seed 1"].needs == ("t ngrams", "t rates weak")
    assert listed["t ceiling seed 1"].needs == ("t rates strong",)
    needs = ("t supervisor seed 1", "t rates strong")
    assert listed["t student naive seed 1"].needs == needs
    assert not listed["t probe"].needs


def test_a_run_tells_the_rates_that_it_found(study, tmp_path, quick_search, capsys, undrawn):
    lines = []
    progress = Progress(quiet=True)
    progress.line = lines.append
    one = Plan(workers=1, threads=1)
    folder = run_study(study, tmp_path / "run", tmp_path / "store", progress, one)
    assert len(quick_search) == 30
    trunk, head = rates_at(searches.ruled_rates(study.strong), (2, 0))
    assert any(f"rates of {study.strong.name}: by a search (asked for)" in line for line in lines)
    told = next(line for line in lines if line.startswith("atlas-landlocked rates strong: "))
    assert f"{trunk:g} (trunk), {head:g} (head), of 15 short finetunings" in told
    weak, strong = read_rates(FolderFiles(folder, "run"))
    assert (strong.trunk, strong.head, strong.how, strong.trials) == (trunk, head, "search", 15)
    assert weak.model == study.weak.name
    run_study(study, tmp_path / "again", tmp_path / "store", progress, one)
    assert len(quick_search) == 30, "the store has them"
    assert json.loads((tmp_path / "again" / "rates.json").read_text()) == json.loads(
        (folder / "rates.json").read_text()
    )
    capsys.readouterr()
    assert main(["report", str(folder), "--out", str(tmp_path / "page.html")]) == 0
    page = (tmp_path / "page.html").read_text()
    assert f"by a search (asked for): {trunk:g} (trunk), {head:g} (head); 15 short" in page
    assert "learning rates of students and ceiling" in page


def test_a_language_model_has_no_head_to_search_for(study, tmp_path, quick_search):
    task_run = run_of(study, tmp_path, tasks=("atlas-generation-currency",))
    found = stages.found_rates(task_run, "strong")
    lattice = Lattice(trunk=True, head=False)
    assert found.trunk == found.head == rates_at(searches.ruled_rates(study.strong), (2, 0))[0]
    assert len(found.trials) == sum(n for n, _ in lattice.rounds)
    assert RULE in lattice.points


def test_a_search_of_a_language_model_is_scored_by_the_probability_of_targets(study, tmp_path):
    """By hand: token by token, one example at a time."""
    import torch

    from weak2strong.models.language import load_language_model
    from weak2strong.models.prompts import prompt_and_target
    from weak2strong.training.writing import target_probabilities

    task_run = run_of(study, tmp_path, tasks=("atlas-generation-currency",))
    examples = task_run.splits.weak_train[:7]
    model = load_language_model(study.strong)
    items, targets = [e.item for e in examples], [str(e.label) for e in examples]
    rows, counted = prompt_and_target(model.tokenizer, [i.text for i in items], targets)
    expected = []
    for row, marks in zip(rows, counted, strict=True):
        with torch.no_grad():
            logits = model.network.whole(input_ids=torch.tensor([row])).logits[0]
        logs = logits.log_softmax(-1)
        each = [logs[i - 1, row[i]].item() for i in range(1, len(row)) if marks[i]]
        expected.append(np.exp(np.mean(each)))
    found = target_probabilities(model, items, targets)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
