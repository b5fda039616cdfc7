"""A preference task through the stages: what methods see, checks, and what the size table says."""

from dataclasses import replace

import numpy as np
import pytest

from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.engine.contents import contents
from weak2strong.engine.sizes import task_sizes
from weak2strong.ground.errors import UserError
from weak2strong.ground.store import Store
from weak2strong.methods import LOSSES, every_method
from weak2strong.methods.reference import find_method
from weak2strong.models.configuration import load_tokenizer
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks import TASKS
from weak2strong.tasks.splits import SPLITS, Splits, make_splits
from weak2strong.tasks.task import Example

NAME = "atlas-preference-hemisphere"


@pytest.fixture(scope="module")
def splits() -> Splits:
    """A fifth of a real task."""
    whole = make_splits(TASKS.get(NAME))
    return Splits(*(whole.examples(s)[::5] for s in SPLITS))


@pytest.fixture(scope="module")
def make_task_run(quick_study, tmp_path_factory, splits):
    """Desks of two stores, in which methods share what they start from."""
    root = tmp_path_factory.mktemp("preferences")

    def make(splits=splits, store="store") -> TaskRun:
        config = resolved(replace(quick_study, tasks=(NAME,)))
        return TaskRun(config, Store(root / store), NAME, TASKS.get(NAME), splits)

    return make


@pytest.mark.filterwarnings("ignore:.*their beginning is cut off")
def test_a_prompted_model_is_asked_about_both_orders(make_task_run, splits):
    """So that it does not matter which completion stands first."""
    few = Splits(*(splits.examples(s)[:12] for s in SPLITS))
    swapped = Splits(
        *(
            tuple(
                replace(
                    e,
                    item=replace(e.item, completions=e.item.completions[::-1]),
                    label=1 - int(e.label),
                )
                for e in few.examples(s)
            )
            for s in SPLITS
        )
    )
    there, back = (stages.student(make_task_run(s), "zero-shot", 0) for s in (few, swapped))
    for split in stages.PREDICTED:
        assert there[split].ids == back[split].ids
        np.testing.assert_allclose(there[split].values, back[split].values[:, ::-1], atol=1e-6)
    assert np.ptp(there["test"].values) > 0


def turned(examples):
    """The other completion preferred everywhere."""
    return tuple(Example(e.item, 1 - e.label) for e in examples)


@pytest.mark.filterwarnings("ignore:.*(their beginning is cut|of their shots are left)")
@pytest.mark.parametrize(
    "method",
    # All losses see a student by the same function: test_stages.py has each, on classes.
    [
        pytest.param(m, marks=[pytest.mark.slow] * (m in LOSSES and m != "confidence"))
        for m in every_method()
        if "preference" in find_method(m).kinds
    ],
)
def test_hidden_labels_change_no_student(make_task_run, splits, method):
    # As few as have 50 neighbours, and some of every class.
    few = {"weak_train": 40, "strong_train": 56, "validation": 20, "test": 24}
    splits = Splits(*(splits.examples(s)[: few[s]] for s in SPLITS))
    hidden = replace(
        splits,
        strong_train=turned(splits.strong_train),
        validation=turned(splits.validation),
        test=turned(splits.test),
    )
    honest = stages.student(make_task_run(splits), method, 0)
    # In a store of its own: a shared one could hide a difference behind an equal key.
    blind = stages.student(make_task_run(hidden, "other"), method, 0)
    for split in stages.PREDICTED:
        assert honest[split].ids == blind[split].ids
        assert honest[split].kind == "preference"
        assert honest[split].probabilities.shape == (len(splits.examples(split)), 2)
        np.testing.assert_array_equal(honest[split].probabilities, blind[split].probabilities)


def test_both_checks_answer_and_letters_alone_know_nothing_here(make_task_run, splits):
    task_run = make_task_run()
    labels = np.array([e.label for e in splits.test])
    for answers in (stages.probe_ceiling(task_run), stages.ngrams(task_run)):
        assert (answers.kind, answers.probabilities.shape) == ("preference", (len(labels), 2))
    letters = stages.ngrams(task_run).probabilities.argmax(axis=1)
    # One of two answers: the spelling knows at most which was more often right by chance.
    assert abs((letters == labels).mean() - 0.5) < 0.15


def test_an_example_has_the_tokens_of_both_its_texts(toy_models, splits):
    model = ModelSpec(str(toy_models["llama"]))
    held = contents(NAME, TASKS.get(NAME), splits, (model,))
    tokenizer = load_tokenizer(model)
    lengths = [len(tokenizer(t)["input_ids"]) for e in splits.test for t in e.item.texts]
    row = held.splits[-1]
    assert (row["examples"], row["longest_tokens"]) == (len(splits.test), max(lengths))
    assert row["median_tokens"] == np.median(lengths)
    (size,) = task_sizes(StudyConfig(tasks=(NAME,), weak=model, strong=model), (NAME,))
    whole = [i for s in SPLITS for i in make_splits(TASKS.get(NAME)).items(s)]
    tokens = [sum(len(tokenizer(t)["input_ids"]) for t in i.texts) for i in whole]
    assert size.tokens[model.name] == pytest.approx(np.mean(tokens), rel=0.02)


def test_answers_to_start_from_are_refused_before_anything_is_trained(quick_study):
    strong = replace(quick_study.strong, head_start="answers", answers=(" a", " b"))
    with pytest.raises(UserError, match="no classes"):
        resolved(replace(quick_study, tasks=(NAME,), strong=strong))
