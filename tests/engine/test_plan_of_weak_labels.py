"""What a dry run says of a file of weak labels: the sentence of the run."""

from dataclasses import replace

import pytest

from weak2strong.engine.plan import plan_study
from weak2strong.engine.run import run_study
from weak2strong.ground.errors import UserError

WRONG = {
    "name,label\na,1\n": "Weak labels {path}: there is no column 'id'.",
    "id,said\na,1\n": "Weak labels {path}: there is no column 'probabilities', 'probability' or",
    "": "Weak labels {path}: there is no column 'id'.",
}


@pytest.mark.parametrize("task", ["small.csv", "boolq", "owner/name"])
@pytest.mark.parametrize("text", WRONG)
def test_a_file_without_its_columns_is_refused_also_where_the_data_are_not_here(
    quick_study, tmp_path, monkeypatch, task, text
):
    monkeypatch.chdir(tmp_path)
    small(tmp_path)
    path = tmp_path / "mine.csv"
    path.write_text(text)
    config = replace(quick_study, tasks=(task,), weak_labels=path)
    with pytest.raises(UserError) as error:
        plan_study(config)
    assert str(error.value).startswith(WRONG[text].format(path=path))


def test_a_file_that_lacks_examples_is_refused_by_the_sentence_of_the_run(quick_study, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("id,label\na,1\n")
    config = replace(quick_study, tasks=(str(small(tmp_path)),), weak_labels=path)
    said = []
    for run in (plan_study, lambda config: run_study(config, tmp_path / "run")):
        with pytest.raises(UserError) as error:
            run(config)
        said.append(str(error.value))
    assert said[0] == said[1]
    assert "split strong_train of small" in said[0]
    assert "examples have no prediction" in said[0]


def small(folder):
    """A small task."""
    lines = [f"A text of number {i} here,{('yes', 'no')[i % 2]}" for i in range(60)]
    (folder / "small.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    return folder / "small.csv"
