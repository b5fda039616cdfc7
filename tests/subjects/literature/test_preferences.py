"""Published preferences, read from folders with a few rows of our own in their form."""

import gzip
import json

import polars as pl
import pytest

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.subjects.literature import PREFERENCES
from weak2strong.subjects.literature.fields import MisfitError
from weak2strong.tasks import GROUPS, SOURCES
from weak2strong.tasks.find import find_task
from weak2strong.tasks.splits import SPLITS, make_splits

N = 60


def conversation(i):
    start = f"\n\nHuman: What is {i}?\n\nAssistant: A number.\n\nHuman: Which?\n\nAssistant:"
    return {"chosen": f"{start} It is {i}.", "rejected": f"{start} It is no more than {i}."}


def comment(i):
    good, bad = f"Ask again {i}.", f"Never ask {i}."
    first, second = (good, bad) if i % 3 else (bad, good)
    text = {"history": f"May I ask {i}?", "human_ref_A": first, "human_ref_B": second}
    return text | {"post_id": f"p{i}", "labels": int(i % 3 > 0), "score_A": 7}


def summary(i):
    good, bad = {"text": f" Lost {i}. ", "note": ""}, {"text": f"Won {i}.", "note": ""}
    post = {"id": f"t{i}", "post": f"I lost {i} games.", "title": "Games", "article": None}
    both = [good, bad] if i % 3 else [bad, good]
    return {"info": post, "summaries": both, "choice": int(i % 3 == 0), "worker": "w"}


def chat(i):
    def turns(said):
        return [{"role": "user", "content": f"{i}?"}, {"role": "assistant", "content": said}]

    scores = {"score_chosen": 8.0, "score_rejected": 8.0 if i % 10 == 0 else 5.0}
    return {"prompt": f"{i}?", "chosen": turns(f"Yes {i}"), "rejected": turns("No"), **scores}


# Row, file by split, splits, text of the first row's prompt, its preferred completion.
SHAPES = {
    "hh-helpful": (conversation, "helpful-base/{}.jsonl.gz", ("train", "test")),
    "hh-harmless": (conversation, "harmless-base/{}.jsonl.gz", ("train", "test")),
    "shp": (comment, "default/{}/0000.parquet", ("train", "validation", "test")),
    "summarize-feedback": (summary, "comparisons/{}/0000.parquet", ("train",)),
    "ultrafeedback": (
        chat,
        "data/{}-00000-of-00001.parquet",
        ("train_prefs", "test_prefs"),
    ),
}
READ = {
    "hh-helpful": (conversation(7)["chosen"].removesuffix(" It is 7."), " It is 7."),
    "hh-harmless": (conversation(7)["chosen"].removesuffix(" It is 7."), " It is 7."),
    "shp": ("Post: May I ask 7?\n\nComment: ", "Ask again 7."),
    "summarize-feedback": ("Post: I lost 7 games.\n\nSummary: ", "Lost 7."),
    "ultrafeedback": ("User: 7?", "\n\nAssistant: Yes 7"),
}


@pytest.fixture
def folder(tmp_path):
    """A function from a dataset's name to a reference to a folder laid out like its repository."""

    def lay(name):
        make, file, splits = SHAPES[name]
        for n, split in enumerate(splits):
            rows = [make(N * n + i) for i in range(N)]
            path = tmp_path / file.format(split)
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".gz":
                text = "".join(json.dumps(row) + "\n" for row in rows)
                path.write_bytes(gzip.compress(text.encode()))
            else:
                pl.DataFrame(rows).write_parquet(path)
        return f"{name}={tmp_path}"

    return lay


def test_every_one_has_rows_here():
    assert set(SHAPES) == set(READ) == set(PREFERENCES) == set(GROUPS.get("preferences"))


@pytest.mark.parametrize("name", PREFERENCES)
def test_a_dataset_is_read_cleaned_and_split(folder, name):
    make, _, splits = SHAPES[name]
    options = DataOptions(near_duplicates=False, balance=False)
    task = find_task(folder(name), options)
    assert (task.kind, task.name) == ("preference", name)
    total = N * len(splits)
    # Of the chats, those with equal scores ask nothing.
    assert task.cleaning.kept == total - (total // 10 if make is chat else 0)
    found = {e.item.text: e for e in task.load()}
    prompt, preferred = READ[name]
    assert found[prompt].item.completions[found[prompt].label] == preferred
    assert {len(e.item.dialogues) for e in task.load()} == {2 if make is chat else 0}
    parts = make_splits(task)
    texts = [{t for e in parts.examples(s) for t in e.item.texts} for s in SPLITS]
    assert sum(map(len, texts)) == len(set.union(*texts))


def test_what_the_label_says_does_not_depend_on_which_comes_first():
    for name in ("shp", "summarize-feedback"):
        make, form = SHAPES[name][0], SOURCES.get(name).form
        items = [form(make(i)) for i in range(30)]
        assert {item.completions[item.label].split()[0] for item in items} <= {"Ask", "Lost"}
        assert {item.label for item in items} == {0, 1}


def test_conversations_that_part_early_share_what_they_begin_with():
    start = "\n\nHuman: Hi\n\nAssistant:"
    row = {"chosen": f"{start} Yes?\n\nHuman: No\n\nAssistant: a", "rejected": f"{start} You?"}
    item = SOURCES.get("hh-helpful").form(row)
    assert item.text == start
    assert set(item.completions) == {" Yes?\n\nHuman: No\n\nAssistant: a", " You?"}
    assert item.keys == ("\n\nHuman: Hi",)


@pytest.mark.parametrize("name", PREFERENCES)
def test_a_field_that_is_not_what_it_should_be_is_named(name):
    dataset, make = SOURCES.get(name), SHAPES[name][0]
    for field in dataset.fields:
        with pytest.raises(MisfitError, match=field):
            dataset.form(make(1) | {field: None})


def test_a_packed_file_that_is_cut_off_is_refused(folder, tmp_path):
    reference = folder("hh-helpful")
    path = tmp_path / "helpful-base" / "train.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"train\.jsonl\.gz cannot be read .* a whole gzip file"):
        find_task(reference, DataOptions())


def test_a_benchmark_is_refused_as_a_task_and_told_how_to_use_it():
    with pytest.raises(UserError, match=r"reward-bench is made to test on .* --test-on reward-ben"):
        find_task("reward-bench", DataOptions())


def test_a_benchmark_is_tested_on(folder, tmp_path):
    bench = tmp_path / "bench" / "data"
    bench.mkdir(parents=True)
    rows = [
        {"prompt": f"Ask {i}", "chosen": f"Told {i}.", "rejected": "No.", "subset": "chat", "id": i}
        for i in range(40)
    ]
    pl.DataFrame(rows).write_parquet(bench / "filtered-00000-of-00001.parquet")
    options = DataOptions(
        test_on=f"reward-bench={bench.parent}", near_duplicates=False, balance=False
    )
    task = find_task(folder("hh-helpful"), options)
    splits = make_splits(task)
    assert task.name == "hh-helpful-on-reward-bench"
    assert {e.item.text for e in splits.test} == {f"User: Ask {i}" for i in range(40)}
    for e in splits.test:
        assert e.item.completions[int(e.label)].startswith("\n\nAssistant: Told")
    assert {e.subset for e in splits.test} == {"chat"}
    rest = [e for name in SPLITS[:3] for e in splits.examples(name)]
    assert len(rest) == 2 * N
    assert {e.subset for e in rest} == {None}
    assert all("Human:" in e.item.text for e in rest)


def test_a_benchmark_with_lists_of_answers_has_a_pair_for_each_two(folder, tmp_path):
    bench = tmp_path / "bench" / "data"
    bench.mkdir(parents=True)
    rows = [
        {
            "prompt": f"Ask {i}",
            "chosen": [f"Told {i}.", f"Said {i}."][: 1 + i % 2],
            "rejected": [f"No {n}." for n in range(3)],
            "subset": ("Focus", "Ties")[i % 2],
        }
        for i in range(40)
    ]
    pl.DataFrame(rows).write_parquet(bench / "test-00000-of-00001.parquet")
    options = DataOptions(test_on=f"reward-bench-2={bench.parent}", near_duplicates=False)
    splits = make_splits(find_task(folder("hh-helpful"), options))
    assert len(splits.test) == 20 * 3 + 20 * 6
    asked = {}
    for e in splits.test:
        number = int(e.item.text.removeprefix("User: Ask "))
        assert e.subset == ("Focus", "Ties")[number % 2]
        assert " No " not in e.item.completions[int(e.label)]
        asked.setdefault(e.question, set()).add((number, e.item.group))
    assert len(asked) == 40
    assert {len(of) for of in asked.values()} == {1}


def test_questions_of_ties_have_the_names_that_their_ids_give(folder, tmp_path):
    bench = tmp_path / "bench" / "data"
    bench.mkdir(parents=True)
    rows = [
        {
            "id": f"{('ref', 'tied')[i % 2]}:{i // 2}",
            "prompt": f"Ask {i}",
            "chosen": [f"Told {i}.", f"Said {i}."][: 1 + i % 2],
            "rejected": ["No.", "Never."],
            "subset": "Ties",
        }
        for i in range(20)
    ]
    pl.DataFrame(rows).write_parquet(bench / "test-00000-of-00001.parquet")
    options = DataOptions(test_on=f"reward-bench-2={bench.parent}", near_duplicates=False)
    names = {e.question for e in make_splits(find_task(folder("hh-helpful"), options)).test}
    tied = {f"tied:{n}/{k}" for n in range(10) for k in (0, 1)}
    assert names == tied | {f"ref:{n}/0" for n in range(10)}
