"""A model of images that is kept answers as it did, and others load it by the code of its card."""

from dataclasses import replace

import numpy as np
import pytest
from tests.models.images import images, saved

from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.engine.card import loader
from weak2strong.ground.errors import UserError
from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.models.image_model import load_image_model
from weak2strong.models.saved import load_kept, read_about, save_kept
from weak2strong.tasks.answered_images import read_images
from weak2strong.training.fit import fit
from weak2strong.training.predict import predict
from weak2strong.training.training_set import TrainingSet

QUICK = Training(steps=2, batch_size=4, learning_rate=1e-2, head_rate=1e-2, stopping="none")


@pytest.fixture(scope="module")
def items(tmp_path_factory):
    return images(tmp_path_factory.mktemp("images"))


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated")
@pytest.mark.parametrize(
    ("family", "adaptation"),
    [
        # Its files lack a pooler, of which the saved model has one that nobody trained.
        ("vit", "full"),
        ("vit", "lora"),
        # Batch norms have means beside their weights.
        ("resnet", "full"),
        # What sees is a part of it.
        ("clip", "lora"),
        ("clip", "head"),
    ],
)
def test_it_answers_as_it_did(family, adaptation, items, tmp_path):
    spec = ModelSpec(str(saved(family, tmp_path / family)), adaptation=adaptation)
    model = load_image_model(spec, "classification", 3, 0)
    targets = np.eye(3)[[0, 1, 2, 0, 1, 2]]
    fit(model, TrainingSet(items, targets), CrossEntropy(), QUICK, 0)
    model.freeze()
    given = predict(model, items).values
    save_kept(model, spec, model.reader.rows(items[:2]), tmp_path / "kept")
    np.testing.assert_array_equal(predict(load_kept(tmp_path / "kept"), items).values, given)
    files = [item.file for item in items]
    names = {"FOLDER": str(tmp_path / "kept"), "BASE": spec.name, "FILES": files}
    exec(loader(read_about(tmp_path / "kept")), names)
    logits = names["logits"].softmax(-1).detach().numpy()
    np.testing.assert_allclose(logits, given, atol=2e-6)


def test_images_to_answer_come_from_a_folder_or_a_list(items, tmp_path):
    for name in ("cat", "dog", "new"):
        images(tmp_path / name, count=2)
    (tmp_path / "dog" / "broken.png").write_bytes(b"no image")
    every = 20 * [tmp_path / "cat" / "0.png"]
    rows = [f"{file.relative_to(tmp_path)},cat,{i}" for i, file in enumerate(every)]
    (tmp_path / "list.csv").write_text("\n".join(["path,label,id", *rows, "dog/1.png,,last"]))
    classes = ("dog", "cat")
    with pytest.raises(UserError, match=r"Image .*broken\.png cannot be read"):
        read_images(tmp_path, classes, DataOptions())
    listed = read_images(tmp_path / "list.csv", classes, DataOptions())
    assert listed.labels == (*20 * [1], None)
    assert [item.id for item in listed.items] == [*map(str, range(20)), "last"]
    assert listed.paths[-1] == "dog/1.png"
    (tmp_path / "dog" / "broken.png").unlink()
    (tmp_path / "list.csv").unlink()
    found = read_images(tmp_path, classes, DataOptions())
    assert found.paths == tuple(f"{n}/{i}.png" for n in ("cat", "dog", "new") for i in (0, 1))
    assert found.labels == (1, 1, 0, 0, None, None)
    alone = read_images(tmp_path / "new" / "1.png", classes, DataOptions())
    assert (alone.paths, alone.labels) == (("1.png",), (None,))
    assert alone.items[0].text == found.items[1].text
    with pytest.raises(UserError, match=r"There are no images at .*nowhere"):
        read_images(tmp_path / "nowhere", classes, DataOptions())
    (tmp_path / "twice.csv").write_text("path,id\ncat/0.png,a\ncat/1.png,a\n")
    with pytest.raises(UserError, match="The id 'a' is that of several images"):
        read_images(tmp_path / "twice.csv", classes, DataOptions())
    named = replace(DataOptions(), id_column="nothing")
    with pytest.raises(UserError, match="has no column 'nothing'"):
        read_images(tmp_path / "twice.csv", classes, named)
