"""A study of a user's images, by models of two families, from the folder to the table."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from PIL import Image
from tests.models.images import saved

from weak2strong.analysis.finished import FinishedRun
from weak2strong.cli import main
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.engine.kept import check_kept
from weak2strong.engine.places import Plan
from weak2strong.engine.run import run_study
from weak2strong.ground.errors import PluginError, UserError
from weak2strong.ground.plugins import load_plugins
from weak2strong.models.check import check
from weak2strong.protocol.resolve import resolve

QUICK = Training(steps=2, batch_size=8, learning_rate=1e-3)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    root = tmp_path_factory.mktemp("images")
    draws = np.random.default_rng(0)
    for label, name in enumerate(("dark", "light")):
        (root / "shades" / name).mkdir(parents=True)
        for i in range(20):
            pixels = draws.integers(0, 100, (12 + i % 3, 15, 3)) + 120 * label
            file = root / "shades" / name / f"{i}.png"
            Image.fromarray(pixels.astype(np.uint8)).save(file)
    weak, strong = (str(saved(family, root / family)) for family in ("vit", "convnext"))
    return StudyConfig(
        tasks=(str(root / "shades"),),
        weak=ModelSpec(weak, adaptation="lora"),
        strong=ModelSpec(strong, adaptation="head"),
        methods=("naive", "linear-probe"),
        seeds=1,
        weak_training=QUICK,
        strong_training=QUICK,
    )


def test_a_folder_of_images_becomes_a_table_and_models_that_answer(study, tmp_path, capsys):
    folder = run_study(
        study, tmp_path / "run", tmp_path / "store", plan=Plan(1, 1), keep=("supervisor", "student")
    )
    naive, probe = FinishedRun(folder).lines()
    assert (naive.task, naive.method, probe.method) == ("shades", "naive", "linear-probe")
    assert 0 <= naive.recovered.floor <= 1
    assert naive.probe_ceiling == 1.0
    (entry,) = FinishedRun(folder).tasks
    assert entry["classes"] == ["dark", "light"]
    capsys.readouterr()
    for model, of in {"supervisor-seed-0": ("floor", None), "student-naive-seed-0": None}.items():
        role, method = of or ("student", "naive")
        kept, out = folder / "models" / "shades" / model, tmp_path / "answers.csv"
        assert (
            main(["predict", "--model", str(kept), "--task", study.tasks[0], "--out", str(out)])
            == 0
        )
        answers = pl.read_csv(out)
        assert answers.columns == ["id", "path", "answer", "p:dark", "p:light"]
        assert len(answers) == 40
        given = pl.read_parquet(folder / "predictions.parquet").filter(role=role)
        given = given if method is None else given.filter(method=method)
        both = given.join(answers, on="id")
        assert len(both) == len(given) > 0
        again = both["p:dark", "p:light"].to_numpy()
        np.testing.assert_allclose(np.array(both["probabilities"].to_list()), again, atol=1e-6)
    assert "Scores on 40 images with labels" in capsys.readouterr().out


def test_what_is_for_models_of_texts_is_refused(study, tmp_path):
    whole = replace(study, strong=ModelSpec("alexnet.pth", adaptation="full"))
    with pytest.raises(UserError, match="a single file, whose form cannot be written"):
        check_kept(whole, {}, ("student",))
    with pytest.raises(UserError, match="reads no texts"):
        check(study.strong)
    with pytest.raises(UserError, match="has no weak model of its own: name one with --weak"):
        resolve(StudyConfig(tasks=study.tasks))
    with pytest.raises(UserError, match="only models of images have a last layer of their own"):
        resolve(StudyConfig(strong=ModelSpec("atlas-l", head_start="own")))
    with pytest.raises(UserError, match=r"There is no file of weights nowhere\.pth"):
        resolve(replace(study, weak=ModelSpec("nowhere.pth")))


PLUGIN = """
import weak2strong as w2s


@w2s.method("looks")
def looks(context):
    \"\"\"Raises what is seen of the items.\"\"\"
    items = [item for split in ("strong_train", "test") for item in context.items(split)]
    raise ValueError(sorted({item.file for item in items} | {str(len(i.text)) for i in items}))
"""


def test_a_method_does_not_see_where_an_image_lies(study, tmp_path):
    (tmp_path / "looks.py").write_text(PLUGIN)
    try:
        seen = replace(study, methods=("looks",), plugins=(str(tmp_path / "looks.py"),))
        with pytest.raises(PluginError, match=r"\['', '64'\]"):
            run_study(seen, tmp_path / "run", tmp_path / "store", plan=Plan(1, 1))
    finally:
        load_plugins(())
