"""A dataset of the literature becomes a task: by name, at a commit, or from a folder."""

import json
import re
from dataclasses import replace

import polars as pl
import pytest

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.subjects.literature import passages
from weak2strong.subjects.literature.dataset import YES_OR_NO
from weak2strong.subjects.literature.preferences import SHP
from weak2strong.tasks import GROUPS, find, hub
from weak2strong.tasks.find import find_task, find_tasks, pinned
from weak2strong.tasks.hub import CONVERTED, Snapshot
from weak2strong.tasks.splits import digest, make_splits

SHA = "0123456789abcdef0123456789abcdef01234567"
OPTIONS = DataOptions()


def boolq(first, count, passages=None):
    """Rows of BoolQ, on as many passages as asked."""
    return [
        {
            "question": f"is number {i} even",
            "answer": i % 2 == 0,
            "passage": f"Passage {i if passages is None else i % passages} is about numbers.",
        }
        for i in range(first, first + count)
    ]


def pairs(count):
    """Rows of utilitarianism, in chains of five scenes."""
    return [
        {"baseline": f"Scene {i} is sunny.", "less_pleasant": f"Scene {i + 1} is sunny."}
        for i in range(count)
        if i % 5 != 4
    ]


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".csv":
        pl.DataFrame(rows).write_csv(path)
    else:
        pl.DataFrame(rows).write_parquet(path)


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "copy" / "data" / "train-00000-of-00001.parquet", boolq(0, 80))
    write(tmp_path / "copy" / "data" / "validation-00000-of-00001.parquet", boolq(80, 40))
    write(tmp_path / "copy" / "data" / "test-00000-of-00001.parquet", [{"hidden": 1}])
    return tmp_path / "copy"


@pytest.fixture
def asked(monkeypatch, folder):
    """A hub with the folder in every repository, at one commit, and what it was asked for."""
    names = tuple(p.relative_to(folder).as_posix() for p in folder.rglob("*.parquet"))
    asked = []

    def open_snapshot(repo, revision):
        asked.append((repo, revision))
        return Snapshot(SHA, names, "a licence of the card", lambda names: folder)

    monkeypatch.setattr(hub, "open_snapshot", open_snapshot)
    monkeypatch.setattr(find, "_AT_COMMIT", {})
    return asked


ETHICS = {
    "ethics-justice": ("justice/justice", "label,scenario", "{label},I paid because {n}."),
    "ethics-deontology": (
        "deontology/deontology",
        *("label,scenario,excuse", '{label},"Could you, please, ask {n}?",No {n}.'),
    ),
    "ethics-virtue": ("virtue/virtue", "label,scenario", "{label},Someone ran {n}. [SEP] brave"),
    "ethics-utilitarianism": ("utilitarianism/util", "", '"Sun, and {n} friends.",Rain and {n}.'),
}


@pytest.mark.parametrize("name", ETHICS)
def test_ethics_is_read_as_its_authors_publish_it(tmp_path, name):
    path, header, row = ETHICS[name]
    for first, split in ((0, "train"), (60, "test"), (500, "test_hard")):
        rows = [row.format(label=n % 2, n=n) for n in range(first, first + 60)]
        file = tmp_path / "ethics" / f"{path}_{split}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join([*filter(None, [header]), *rows]) + "\n")
    options = DataOptions(near_duplicates=False, balance=False)
    task = find_task(f"{name}={tmp_path}/ethics", options)
    numbers = sorted({int(re.search(r"\d+", row.text)[0]) for row in task.rows})
    assert numbers == [*range(120)]
    assert f", {path}_train.csv + {path}_test.csv, SHA-256 " in task.source
    if name != "ethics-utilitarianism":
        assert all(row.label == int(re.search(r"\d+", row.text)[0]) % 2 for row in task.rows)
    (tmp_path / "ethics" / f"{path}_test.csv").unlink()
    with pytest.raises(UserError, match=f"or its authors' {path}_train.csv, {path}_test.csv"):
        find_task(f"{name}={tmp_path}/ethics", options)


def test_the_better_scene_stands_first_as_its_authors_publish_it(tmp_path):
    folder = tmp_path / "utilitarianism"
    folder.mkdir()
    for split, first in (("train", 0), ("test", 60)):
        lines = [f"Sun {n}.,Rain {n}." for n in range(first, first + 60)]
        (folder / f"util_{split}.csv").write_text("\n".join(lines))
    task = find_task(f"ethics-utilitarianism={tmp_path}", DataOptions(near_duplicates=False))
    assert all(row.text.startswith("First: Sun") == bool(row.label) for row in task.rows)
    assert {row.label for row in task.rows} == {0, 1}


def test_a_name_is_read_from_the_hub_at_one_commit(asked):
    task = find_task("boolq", OPTIONS)
    assert (task.name, task.revision, task.licence) == ("boolq", SHA, "CC BY-SA 3.0")
    assert task.source == f"google/boolq, train + validation, commit {SHA}"
    assert task.cleaning.read == 120
    assert task.wording == YES_OR_NO
    # The second split is of the commit at which the first was found.
    assert asked == [("google/boolq", None), ("google/boolq", SHA)]


def test_what_was_read_is_pinned_and_not_asked_for_again(asked):
    task = find_task("boolq", OPTIONS)
    pin = pinned("boolq", task)
    assert pin == f"boolq@{SHA}" == pinned("boolq@main", task)
    asked.clear()
    assert find_task(pin, OPTIONS) is task
    assert asked == []
    assert find_task("boolq@v1", OPTIONS) is task
    assert asked == [("google/boolq", "v1"), ("google/boolq", SHA)]
    assert find_task(pin, DataOptions(balance=False)) is not task


def test_the_copy_in_parquet_is_read_where_the_repository_has_a_script(asked, monkeypatch):
    with pytest.raises(UserError, match="piqa needs the field 'goal'"):
        find_task("piqa", OPTIONS)
    assert asked[0] == ("ybisk/piqa", CONVERTED)
    asked.clear()
    with pytest.raises(UserError, match="piqa needs the field 'goal'"):
        find_task("piqa@v2", OPTIONS)
    assert asked[0] == ("ybisk/piqa", "v2")


@pytest.mark.parametrize("ending", ["parquet", "jsonl", "csv"])
def test_a_folder_gives_the_same_items_in_every_format(tmp_path, folder, ending):
    write(tmp_path / "other" / f"train.{ending}", boolq(0, 80))
    write(tmp_path / "other" / f"validation.{ending}", boolq(80, 40))
    task = find_task(f"boolq={folder}", OPTIONS)
    same = find_task(f"boolq={tmp_path / 'other'}", OPTIONS)
    assert digest(task.load()) == digest(same.load())
    assert task.source.startswith(f"{folder}, train + validation, SHA-256 ")
    assert (task.revision, pinned(f"boolq={folder}", task)) == (None, f"boolq={folder}")


def test_the_hub_and_a_folder_give_the_same_items(asked, folder):
    here, there = find_task(f"boolq={folder}", OPTIONS), find_task("boolq", OPTIONS)
    assert digest(here.load()) == digest(there.load())


def test_a_folder_is_read_again_only_where_a_file_has_changed(folder):
    first = find_task(f"boolq={folder}", OPTIONS)
    assert find_task(f"boolq={folder}", OPTIONS) is first
    write(folder / "data" / "validation-00000-of-00001.parquet", boolq(80, 60))
    assert find_task(f"boolq={folder}", OPTIONS).cleaning.read == 140


def test_questions_on_one_passage_stay_together(tmp_path):
    for split, first in (("train", 0), ("validation", 80)):
        write(tmp_path / f"{split}.jsonl", boolq(first, 80, passages=30))
    splits = make_splits(find_task(f"boolq={tmp_path}", DataOptions(near_duplicates=False)))
    homes = {}
    for name in ("weak_train", "strong_train", "validation", "test"):
        for e in splits.examples(name):
            homes.setdefault(e.item.text.partition(" is about")[0], set()).add(name)
    assert len(homes) == 30
    assert all(len(names) == 1 for names in homes.values())


def test_pairs_that_share_a_scene_stay_together(tmp_path):
    for split, rows in (("train", pairs(400)[::2]), ("validation", pairs(400)[1::2])):
        write(tmp_path / "utilitarianism" / f"{split}.csv", rows)
    options = DataOptions(near_duplicates=False, balance=False)
    task = find_task(f"ethics-utilitarianism={tmp_path}", options)
    groups = {e.item.group for e in task.load()}
    assert (len(task.load()), len(groups)) == (320, 80)


def test_sizes_and_balance_are_heeded(folder):
    sizes = DataOptions(n_train=20, n_validation=10, n_test=30)
    splits = make_splits(find_task(f"boolq={folder}", sizes))
    assert [len(splits.examples(s)) for s in ("weak_train", "validation", "test")] == [20, 10, 30]
    rows = boolq(0, 120)
    write(folder / "data" / "train-00000-of-00001.parquet", [r for r in rows if r["answer"]])
    assert find_task(f"boolq={folder}", OPTIONS).cleaning.uneven > 0
    assert find_task(f"boolq={folder}", DataOptions(balance=False)).cleaning.uneven == 0


def test_of_a_huge_dataset_some_rows_are_drawn_whatever_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(passages, "BOOLQ", replace(passages.BOOLQ, most=60))
    used = []
    for name, order in (("a", 1), ("b", -1)):
        for split, first in (("train", 0), ("validation", 80)):
            write(tmp_path / name / f"{split}.jsonl", boolq(first, 80)[::order])
        task = find_task(f"boolq={tmp_path / name}", DataOptions(balance=False))
        assert "60 of 160 rows" in task.source
        used.append(digest(task.load()))
    assert used[0] == used[1]


@pytest.mark.parametrize(
    "data",
    [
        DataOptions(text_column="passage"),
        DataOptions(label_column="answer"),
        DataOptions(group_column="passage"),
        DataOptions(id_column="question"),
        DataOptions(subset="default"),
        DataOptions(split="test"),
    ],
)
def test_flags_that_a_dataset_answers_itself_are_refused(folder, data):
    with pytest.raises(UserError, match=r"^boolq=\S+ knows its columns, .*: leave --[a-z-]+ out\."):
        find_tasks((f"boolq={folder}",), data)


def test_flags_are_heeded_beside_a_dataset_by_the_users_own_file(tmp_path, folder):
    rows = [{"said": f"Number {i}", "label": i % 2} for i in range(80)]
    write(tmp_path / "own.jsonl", rows)
    data = DataOptions(text_column="said")
    names = [t.name for t in find_tasks((f"boolq={folder}", str(tmp_path / "own.jsonl")), data)]
    assert names == ["boolq", "own"]


def test_a_registered_name_comes_before_a_folder_of_that_name(asked, folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    folder.rename(folder.parent / "boolq")
    with pytest.raises(UserError, match=r"copy/data/train-.* cannot be read"):
        find_task("boolq", OPTIONS)
    assert asked


def test_groups_name_datasets():
    assert len(GROUPS.get("burns-nlp")) == 22
    assert len(GROUPS.get("eleuther-nlp")) == 25


def test_an_unknown_name_is_told_of_datasets():
    with pytest.raises(UserError, match=r"Unknown task 'bool_q': .*boolq"):
        find_task("bool_q", OPTIONS)
    with pytest.raises(UserError, match=r"Unknown task 'sciq-with-support'.*sciq_with_support"):
        find_task("sciq-with-support", OPTIONS)


BAD = {
    "a missing field": (
        [{"question": "is it", "answer": True}],
        r"boolq needs the field 'passage', but \S+/train\.jsonl has question, answer: take a rev",
    ),
    "a bad label": (
        [*boolq(0, 2), {"question": "is it", "passage": "It is.", "answer": "maybe"}],
        r"train\.jsonl, row 3 has 'maybe' in field 'answer', which is not true or false, as boolq",
    ),
    "nothing in a field": (
        [{"question": "is it", "passage": None, "answer": True}],
        r"train\.jsonl, row 1 has None in field 'passage', which is not a text, as boolq has it",
    ),
    "no rows": ([], r"boolq has no rows in \S+train\.jsonl"),
}


@pytest.mark.parametrize(("rows", "sentence"), BAD.values(), ids=BAD)
def test_what_is_wrong_with_a_file_is_said_in_a_sentence(tmp_path, rows, sentence):
    write(tmp_path / "train.jsonl", rows)
    write(tmp_path / "validation.jsonl", boolq(0, 0 if not rows else 9))
    with pytest.raises(UserError, match=sentence) as caught:
        find_task(f"boolq={tmp_path}", OPTIONS)
    assert "\n" not in str(caught.value)


def test_a_folder_without_the_splits_or_the_subset_is_refused(tmp_path, folder):
    with pytest.raises(UserError, match=r"There is no folder '/nowhere' for boolq: check the"):
        find_task("boolq=/nowhere", OPTIONS)
    with pytest.raises(UserError, match=r"There is no folder '' for boolq: check"):
        find_task("boolq=", OPTIONS)
    (folder / "data" / "validation-00000-of-00001.parquet").unlink()
    with pytest.raises(UserError, match=r"boolq needs split 'validation' of google/boolq, which "):
        find_task(f"boolq={folder}", OPTIONS)
    with pytest.raises(UserError, match=r"needs split 'train' of nyu-mll/glue, .* as cola/train\."):
        find_task(f"cola={folder}", OPTIONS)


def test_a_dataset_with_a_folder_a_forum_is_read_whole(tmp_path):
    """As the repository of SHP has it: lines of JSON by another ending, a folder for each of 18."""
    for at, (forum, split) in enumerate((f, s) for f in "ab" for s in SHP.splits):
        rows = [
            {
                "post_id": f"{forum}{split}{i}",
                "history": f"Post {at} {i}",
                "human_ref_A": f"First comment on {at} {i}",
                "human_ref_B": f"Second comment on {at} {i}",
                "labels": i % 2,
            }
            for i in range(20)
        ]
        (tmp_path / forum).mkdir(exist_ok=True)
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / forum / f"{split}.json").write_text(lines)
    assert find_task(f"shp={tmp_path}", OPTIONS).cleaning.read == 120
