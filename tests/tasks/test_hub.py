"""Datasets of the hub are read from what the hub says they hold; nothing here asks the hub."""

from dataclasses import replace
from fnmatch import fnmatch
from types import SimpleNamespace

import huggingface_hub
import polars as pl
import pyarrow as pa
import pytest
from huggingface_hub import constants, errors

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.ground.hub import TOKEN_VARIABLES
from weak2strong.tasks import hub
from weak2strong.tasks.hub import CONVERTED, Snapshot, hub_files, hub_task
from weak2strong.tasks.splits import digest, make_splits

SHA = "0123456789abcdef0123456789abcdef01234567"
OPTIONS = DataOptions()


def frame(first, count):
    numbers = range(first, first + count)
    return pl.DataFrame(
        {"text": [f"Number {i}" for i in numbers], "label": [i % 2 for i in numbers]}
    )


def lay(folder, files):
    """Write frames as files below a folder."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".parquet"):
            data.write_parquet(path)
        elif name.endswith(".jsonl"):
            data.write_ndjson(path)
        else:
            data.write_csv(path)
    return folder


@pytest.fixture
def folder(tmp_path):
    return lay(
        tmp_path / "reviews",
        {
            "data/train-00000-of-00002.parquet": frame(0, 60),
            "data/train-00001-of-00002.parquet": frame(60, 60),
            "data/test-00000-of-00001.parquet": frame(500, 50),
            ".cache/train.parquet": frame(900, 50),
        },
    )


def test_a_folder_laid_out_like_a_dataset_is_a_task(folder):
    task = hub_task(str(folder), OPTIONS)
    assert task.name == "reviews"
    assert task.revision is None
    assert task.source.startswith(f"{folder}, default, train, SHA-256 ")
    assert {e.item.text for e in task.load()} == {f"Number {i}" for i in range(120)}
    assert len(make_splits(task).test) == 30


def test_another_split_is_another_task(folder):
    task = hub_task(str(folder), DataOptions(split="test"))
    assert task.name == "reviews-test"
    assert {e.item.text for e in task.load()} == {f"Number {i}" for i in range(500, 550)}


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_every_format_is_read(tmp_path, folder, ending):
    other = lay(tmp_path / "other", {f"en/train.{ending}": frame(0, 120)})
    task = hub_task(str(other), DataOptions(subset="en"))
    assert task.name == "other-en"
    assert digest(task.load()) == digest(hub_task(str(folder), OPTIONS).load())


def test_a_wrong_row_is_named_with_its_file(folder):
    pl.DataFrame({"text": ["a", None], "label": [0, 1]}).write_parquet(
        folder / "data/train-00001-of-00002.parquet"
    )
    with pytest.raises(
        UserError, match=r"reviews/data/train-00001-of-00002\.parquet, row 2 has no"
    ):
        hub_task(str(folder), replace(OPTIONS, strict_rows=True))


def test_a_folder_has_no_revisions_and_must_be_there(folder):
    with pytest.raises(UserError, match="has no revisions: leave @main out"):
        hub_task(str(folder), OPTIONS, revision="main")
    for missing in ("./nowhere", "~/nowhere", "/nowhere", "a/b/c"):
        with pytest.raises(UserError, match=f"There is no folder {missing}: check the path"):
            hub_task(missing, OPTIONS)


def test_a_folder_without_data_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"has no \.parquet, .*\.tsv file"):
        hub_task(str(tmp_path), OPTIONS)


class Hub:
    """A hub with one dataset, whose revisions are folders."""

    def __init__(self, monkeypatch, **revisions):
        self.revisions, self.asked, self.fetched = revisions, [], []
        monkeypatch.setattr(hub, "open_snapshot", self.open_snapshot)

    def open_snapshot(self, repo, revision):
        self.asked.append(revision)
        folder = self.revisions.get(revision or "main")
        if folder is None:
            raise UserError(f"no {revision or 'main'}")

        def fetch(names):
            self.fetched = list(names)
            return folder

        names = tuple(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
        return Snapshot(SHA, names, "mit", fetch)


CLASSES = """---
dataset_info:
  features:
  - name: label
    dtype: {class_label: {names: {"0": odd, "1": even}}}
configs:
- data_files: [{split: train, path: "*.csv"}]
---
"""


def test_a_card_tells_files_and_names_of_classes(tmp_path):
    """One part is named as if it were a test, and both are of one split."""
    lay(tmp_path / "owner", {"a.csv": frame(0, 60), "test.csv": frame(60, 60)})
    (tmp_path / "owner" / "README.md").write_text(CLASSES)
    task = hub_task(str(tmp_path / "owner"), OPTIONS)
    assert (task.cleaning.read, task.classes) == (120, ("odd", "even"))
    labels = {e.item.text: e.label for e in task.load()}
    assert labels == {f"Number {i}": i % 2 for i in range(120)}


def saved(folder, first, count):
    """As `save_to_disk` of datasets 4 writes one split, in two files."""
    folder.mkdir(parents=True)
    table = frame(first, count).to_arrow()
    for part in range(2):
        with pa.ipc.new_stream(folder / f"data-0000{part}-of-00002.arrow", table.schema) as writer:
            writer.write_table(table.slice(part * (count // 2), count // 2))
    (folder / "state.json").write_text('{"_split": null}')
    (folder / "dataset_info.json").write_text('{"features": {}}')


def test_folders_of_save_to_disk_are_tasks(tmp_path):
    saved(tmp_path / "one", 0, 80)
    for first, split in enumerate(("train", "test", "hard ones")):
        saved(tmp_path / "several" / split, 100 * first, 80)
    (tmp_path / "several" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    same = digest(hub_task(str(tmp_path / "one"), OPTIONS).load())
    assert digest(hub_task(str(tmp_path / "several"), OPTIONS).load()) == same
    for split, first in (("test", 100), ("hard ones", 200)):
        task = hub_task(str(tmp_path / "several"), DataOptions(split=split))
        assert {e.item.text for e in task.load()} == {f"Number {first + i}" for i in range(80)}


def test_only_the_files_of_the_split_are_fetched(monkeypatch, folder):
    one = Hub(monkeypatch, main=folder)
    task = hub_task("owner/reviews", DataOptions(split="test"))
    assert one.fetched == ["data/test-00000-of-00001.parquet"]
    assert one.asked == [None]
    assert (task.name, task.licence) == ("owner-reviews-test", "mit")
    assert task.revision == SHA
    assert task.source == f"owner/reviews, default, test, commit {SHA}"


def test_the_copy_in_parquet_is_read_where_the_names_say_nothing(monkeypatch, tmp_path):
    main = lay(tmp_path / "main", {"a.csv": frame(0, 9), "b.csv": frame(9, 9)})
    (main / "script.py").write_text("")
    copy = lay(tmp_path / "copy", {"plain/train/0000.parquet": frame(0, 80)})
    one = Hub(monkeypatch, main=main, **{CONVERTED: copy})
    found = hub_files("owner/name")
    assert one.asked == [None, CONVERTED]
    assert list(found.files.values()) == [copy / "plain/train/0000.parquet"]
    assert found.subset == "plain"


def test_the_first_reason_is_given_where_there_is_no_copy_either(monkeypatch, tmp_path):
    main = lay(tmp_path, {"a.csv": frame(0, 9), "b.csv": frame(9, 9)})
    Hub(monkeypatch, main=main)
    with pytest.raises(UserError, match="has the subsets a, b: choose one with --subset"):
        hub_files("owner/name")


def test_a_revision_that_is_asked_for_is_the_only_one_read(monkeypatch, tmp_path, folder):
    one = Hub(monkeypatch, old=lay(tmp_path / "old", {"x.txt.csv": frame(0, 9)}), main=folder)
    with pytest.raises(UserError, match="no split 'test'; it has train"):
        hub_files("owner/name", revision="old", split="test")
    assert one.asked == ["old"]


def responded(kind):
    import importlib

    # The hub's errors hold the response of whichever HTTP library is beneath.
    library = importlib.import_module(errors.HfHubHTTPError.__mro__[1].__module__.split(".")[0])
    response = library.Response(404, request=library.Request("GET", "https://hub.test"))
    return kind("404 Client Error.\n\nDetails.", response=response)


NOT_THERE = [
    (responded(errors.GatedRepoError), r"owner/name is gated: accept its terms on https://hug\S*"
     r"/datasets/owner/name, then log in by `hf auth login` with a token of that account that "),
    (responded(errors.RepositoryNotFoundError), "There is no dataset owner/name .*, or it is priv"),
    (responded(errors.RevisionNotFoundError), "Dataset owner/name has no revision 'v9': write a b"),
    (errors.HFValidationError("Repo id"), "'owner/name' is no id of a hub dataset: write owner/na"),
    (errors.OfflineModeIsEnabled("x"), "no local folder .* cache, and offline mode is set: unset"),
    (ConnectionError("Name or service\nnot known"), r"cannot be had .* \(Name or service\): check"),
    (TimeoutError(), r"Dataset owner/name cannot be had .* \(TimeoutError\): check the network"),
    (responded(errors.HfHubHTTPError), r"\(404 Client Error\): check the network, or name a file"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "sentence"), NOT_THERE, ids=lambda x: type(x).__name__)
@pytest.mark.parametrize("late", [False, True])
def test_what_the_hub_refuses_is_said_in_a_sentence(monkeypatch, tmp_path, error, sentence, late):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    for name in TOKEN_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    info = SimpleNamespace(sha=SHA, siblings=[SimpleNamespace(rfilename="train.csv")])

    def fail(*args, **kwargs):
        raise error

    def dataset_info(self, repo, revision):
        return SimpleNamespace(**vars(info), card_data=None) if late else fail()

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", dataset_info)
    if late:
        monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(UserError, match=sentence) as caught:
        hub_files("owner/name", revision="v9")
    assert "\n" not in str(caught.value)


@pytest.fixture
def online(monkeypatch, folder):
    """A hub that can be reached and has one dataset, at a folder named by its commit."""
    commit = folder.rename(folder.parent / SHA)
    names = ["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet", "[x].csv"]
    info = SimpleNamespace(
        sha=SHA,
        siblings=[SimpleNamespace(rfilename=name) for name in names],
        card_data=SimpleNamespace(license="cc-by-4.0"),
    )
    calls = []

    def download(repo, **options):
        calls.append(options)
        return str(commit)

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", lambda self, repo, revision: info)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    return SimpleNamespace(info=info, calls=calls)


def test_the_commit_and_the_licence_are_the_hubs(online):
    task = hub_task("owner/name", OPTIONS)
    assert (task.revision, task.licence, len(task.load())) == (SHA, "cc-by-4.0", 120)
    (call,) = online.calls
    assert call["repo_type"] == "dataset"
    assert call["allow_patterns"] == [f"data/train-0000{i}-of-00002.parquet" for i in (0, 1)]
    assert not call["local_files_only"]


def test_a_name_is_fetched_as_it_stands(online):
    hub_files("owner/name", subset="[x]")
    assert online.calls[0]["allow_patterns"] == ["[[]x].csv"]


def test_a_dataset_that_changes_under_the_hand_is_refused(online):
    online.info.sha = SHA[::-1]
    with pytest.raises(UserError, match="owner/name changed while it was read: run again"):
        hub_files("owner/name")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The hub's own cache, without a network: tests run in offline mode."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "cache" / "datasets--owner--name"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text(SHA)
    return root


def test_without_a_network_the_cache_is_read(cache):
    lay(cache / "snapshots" / SHA, {"train.csv": frame(0, 90)})
    task = hub_task("owner/name", OPTIONS)
    assert (task.revision, len(task.load())) == (SHA, 90)
    assert hub_task("owner/name", OPTIONS, revision=SHA).revision == SHA
    with pytest.raises(UserError, match="offline mode is set"):
        hub_task("owner/name", OPTIONS, revision="v9")


def test_half_a_dataset_in_the_cache_is_refused(cache):
    lay(cache / "snapshots" / SHA, {"data/train-00000-of-00002.parquet": frame(0, 90)})
    with pytest.raises(UserError, match="has only 1 of the 2 files of split 'train' here: downl"):
        hub_task("owner/name", OPTIONS)


def test_a_numbered_file_that_the_cache_lacks_is_noticed(cache, monkeypatch):
    names = ["2/train/0000.parquet", "2/train/0001.parquet", "3/train/0000.parquet"]
    snapshot = lay(cache / "snapshots" / SHA, {names[0]: frame(0, 90)})

    def download(repo, allow_patterns, **options):
        """As the hub's library does where it knows of the files that there should be."""
        wanted = [n for n in names if any(fnmatch(n, pattern) for pattern in allow_patterns)]
        if missing := [n for n in wanted if not (snapshot / n).exists()]:
            raise errors.IncompleteSnapshotError(f"incomplete: {missing}", snapshot_path=snapshot)
        return str(snapshot)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    with pytest.raises(UserError, match=r"\(incomplete: \['2/train/0001\.parquet'\]\): check"):
        hub_task("owner/name", OPTIONS, revision=SHA)
    names.remove("2/train/0001.parquet")
    assert len(hub_task("owner/name", OPTIONS, revision=SHA).load()) == 90
