"""A folder of images, or a list of them, is a task whose items are images."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.find import find_task
from weak2strong.tasks.image_files import key_of
from weak2strong.tasks.image_index import keys_of
from weak2strong.tasks.splits import SPLITS, make_splits

CLASSES = ("cat", "dog")


def image(file, seed):
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 9, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file)
    return file


def filled(folder, each=8):
    for label, name in enumerate(CLASSES):
        for i in range(each):
            image(folder / name / f"{i}.png", 100 * label + i)
    return folder


def with_list(folder, rows, header="path,label", name="labels.csv"):
    (folder / name).write_text("\n".join([header, *rows]) + "\n")
    return folder


def read(path, **options):
    return find_task(str(path), DataOptions(**options))


def test_a_folder_has_a_class_a_folder(tmp_path):
    task = read(filled(tmp_path / "pets"))
    assert (task.name, task.kind, task.inputs, task.classes) == (
        "pets",
        "classification",
        "images",
        CLASSES,
    )
    examples = task.load()
    assert len(examples) == 16
    for e in examples:
        assert e.item.text == key_of(Path(e.item.file).read_bytes())
        assert f"/{CLASSES[e.label]}/" in e.item.file
    assert task.accounts[0].sentences()[0] == (
        "Read as images with classes: image from path; class from label."
    )


def test_ids_go_by_content_and_not_by_place(tmp_path):
    first = read(filled(tmp_path / "pets")).load()
    shutil.move(tmp_path / "pets", tmp_path / "moved")
    second = read(tmp_path / "moved").load()
    assert [e.item for e in first] == [e.item for e in second]
    assert first[0].item.file != second[0].item.file


def test_the_same_bytes_are_one_image(tmp_path):
    folder = filled(tmp_path / "pets")
    shutil.copy(folder / "cat" / "0.png", folder / "cat" / "again.png")
    shutil.copy(folder / "cat" / "1.png", folder / "dog" / "other.png")
    cleaning = read(folder, balance=False).cleaning
    assert (cleaning.read, cleaning.exact, cleaning.contradictory) == (18, 1, 2)
    assert (cleaning.kept, cleaning.near) == (15, 0)


def test_a_list_tells_labels_and_groups(tmp_path):
    folder = tmp_path / "photos"
    for i in range(12):
        image(folder / "files" / f"{i}.jpg", i)
    rows = [f"files/{i}.jpg,{CLASSES[i % 2]},g{i // 4}" for i in range(12)]
    with_list(folder, rows, "path,label,animal")
    by_folder = read(folder, group_column="animal").load()
    by_list = read(folder / "labels.csv", group_column="animal").load()
    assert [e.item for e in by_folder] == [e.item for e in by_list]
    assert {e.item.group for e in by_folder} == {"g0", "g1", "g2"}
    assert read(folder, group_column="animal").name == "photos"


def test_a_list_tells_splits(tmp_path):
    folder = filled(tmp_path / "photos")
    paths = sorted(str(file.relative_to(folder)) for file in folder.rglob("*.png"))
    assert len(paths) >= 2 * len(SPLITS)
    named = {path: SPLITS[n % len(SPLITS)] for n, path in enumerate(paths)}
    rows = [f"{path},{path.split('/')[0]},{split}" for path, split in named.items()]
    with_list(folder, rows, header="path,label,split")
    splits = make_splits(read(folder, balance=False))
    for name in SPLITS:
        found = {str(Path(e.item.file).relative_to(folder)) for e in splits.examples(name)}
        assert found == {path for path, split in named.items() if split == name}


def test_parts_are_chosen_by_split(tmp_path):
    filled(tmp_path / "data" / "train", 8)
    filled(tmp_path / "data" / "val", 4)
    assert len(read(tmp_path / "data").load()) == 16
    chosen = read(tmp_path / "data", split="val")
    assert (len(chosen.load()), chosen.name) == (8, "data-val")
    with pytest.raises(UserError, match="has train, val, and no test: choose one of them"):
        read(tmp_path / "data", split="test")


def test_a_few_unreadable_images_are_left_out_and_more_refused(tmp_path):
    folder = filled(tmp_path / "pets", 30)
    (folder / "cat" / "0.png").write_bytes(b"no image")
    task = read(folder, balance=False)
    assert (task.cleaning.malformed, task.cleaning.kept) == (1, 59)
    assert "0.png cannot be read" in task.cleaning.sentences()[1]
    with pytest.raises(UserError, match=r"0\.png cannot be read .*: mend it"):
        read(folder, strict_rows=True)
    for i in range(5):
        (folder / "dog" / f"{i}.png").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"and 5 other rows of 60 are malformed, too"):
        read(folder)


def test_what_is_no_task_is_told(tmp_path):
    folder = filled(tmp_path / "pets")
    (folder / "bird").mkdir()
    with pytest.raises(UserError, match=r"Class bird of .* has no images"):
        read(folder)
    shutil.rmtree(folder / "bird")
    shutil.rmtree(folder / "dog")
    with pytest.raises(UserError, match=r"put the images of each\s+class into a folder"):
        read(folder)
    for i in range(3):
        image(tmp_path / "flat" / f"{i}.png", i)
    with pytest.raises(UserError, match=r"write labels\.csv"):
        read(tmp_path / "flat")
    rows = [f"{i}.png,{CLASSES[i % 2]}" for i in range(3)] + ["missing.png,cat"]
    with_list(tmp_path / "flat", rows)
    with pytest.raises(UserError, match=r"missing\.png cannot be read"):
        read(tmp_path / "flat")


@pytest.mark.parametrize(
    "options", [{"text_column": ("words",)}, {"template": "{path}"}, {"label_column": "kind"}]
)
def test_options_that_do_nothing_are_refused(tmp_path, options):
    flag = next(iter(options)).replace("_", "-")
    with pytest.raises(UserError, match=f"holds images, and --{flag} does nothing for these"):
        read(filled(tmp_path), **options)


def test_a_table_of_texts_is_none_of_images(tmp_path):
    rows = [f"{i}: see figure{i}.png,{CLASSES[i % 2]}" for i in range(12)]
    file = with_list(tmp_path, rows, "text,label") / "labels.csv"
    assert read(file).inputs == "text"


def test_what_was_read_is_kept_beside_the_store(tmp_path, monkeypatch):
    monkeypatch.setattr("weak2strong.tasks.image_index.MANY", 4)
    files = [image(tmp_path / f"{i}.png", i) for i in range(5)]
    files.append(tmp_path / "broken.png")
    files[-1].write_bytes(b"nothing")
    first, read_again = keys_of(files), []
    monkeypatch.setattr(
        "weak2strong.tasks.image_index._one", lambda f: read_again.append(f) or ("new", "")
    )
    assert keys_of(files) == first
    assert not read_again
    image(files[0], 99)
    changed = keys_of(files)
    assert read_again == [files[0]]
    assert changed[files[0]] == ("new", "")
    assert changed[files[-1]][0] is None
