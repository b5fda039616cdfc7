"""A study of a user's images, by models of two families, from the folder to the table."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tests.models.images import saved

from weak2strong.analysis.finished import FinishedRun
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.engine.places import Plan
from weak2strong.engine.run import run_study
from weak2strong.ground.errors import UserError
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


def test_a_folder_of_images_becomes_a_table(study, tmp_path):
    folder = run_study(study, tmp_path / "run", tmp_path / "store", plan=Plan(1, 1))
    naive, probe = FinishedRun(folder).lines()
    assert (naive.task, naive.method, probe.method) == ("shades", "naive", "linear-probe")
    assert 0 <= naive.recovered.floor <= 1
    assert naive.probe_ceiling == 1.0
    (entry,) = FinishedRun(folder).tasks
    assert entry["classes"] == ["dark", "light"]


def test_what_is_for_models_of_texts_is_refused(study, tmp_path):
    with pytest.raises(UserError, match="Models of images are not kept"):
        run_study(study, tmp_path / "run", tmp_path / "store", keep=("student",))
    with pytest.raises(UserError, match="reads no texts"):
        check(study.strong)
    with pytest.raises(UserError, match="has no weak model of its own: name one with --weak"):
        resolve(StudyConfig(tasks=study.tasks))
    with pytest.raises(UserError, match="only models of images have a last layer of their own"):
        resolve(StudyConfig(strong=ModelSpec("atlas-l", head_start="own")))
    with pytest.raises(UserError, match=r"There is no file of weights nowhere\.pth"):
        resolve(replace(study, weak=ModelSpec("nowhere.pth")))
