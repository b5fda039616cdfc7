"""A user's own data on the command line: from the file to the table, and what is refused."""

import json
import random
import re
import shutil
from types import SimpleNamespace

import huggingface_hub
import numpy as np
import polars as pl
import pytest
from huggingface_hub import constants, errors
from sklearn.metrics import accuracy_score, roc_auc_score

from weak2strong.analysis.finished import Results
from weak2strong.cli import main
from weak2strong.config.data import DataOptions
from weak2strong.engine.local import Plan
from weak2strong.tasks import find

WORDS = ("red", "blue", "house", "river", "bird", "city", "town", "morning", "evening", "sings")
SIGNS = {"fruit": "apple", "rock": "stone", "sky": "cloud"}
QUICK = ("--weak", "atlas-xs", "--strong", "atlas-xs", "--seeds", "1", "--epochs", "1", "--quiet")
SIZES = ("--n-train", "40", "--n-validation", "12", "--n-test", "40")


def rows(n, classes=2):
    """Texts of random words, one of which nearly always says the class."""
    dice, names = random.Random(0), sorted(SIGNS)[:classes]
    made = []
    for i in range(n):
        label = names[i % classes]
        sign = SIGNS[label] if dice.random() < 0.9 else dice.choice(sorted(SIGNS.values()))
        words = [*dice.choices(WORDS, k=3), sign, *dice.choices(WORDS, k=3), str(i)]
        made.append({"text": " ".join(words), "label": label})
    return made


def write(path, data):
    """Rows as the ending has them, or bytes as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(data, bytes):
        path.write_bytes(data)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in data))
    elif path.suffix == ".csv":
        pl.DataFrame(data).write_csv(path)
    else:
        pl.DataFrame(data).write_parquet(path)
    return path


def test_three_classes_from_the_file_to_the_table(tmp_path, capsys, monkeypatch):
    """In two processes, so that workers find the data too."""
    monkeypatch.setattr(Plan, "of", lambda *_: Plan(workers=2, threads=1))
    path, out = write(tmp_path / "three.jsonl", rows(260, classes=3)), tmp_path / "run"
    command = ["run", "--task", str(path), *QUICK, *SIZES, "--out", str(out)]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert shown.index("260 rows are used") < shown.index("PGR [95%]")
    assert "fruit 33.3%, rock 33.3%, sky 33.3%" in shown

    run = Results(out)
    assert set(run.predictions["probabilities"].list.len()) == {3}
    for role, method, seed in (
        ("floor", "", 0),
        ("ceiling", "", 0),
        ("student", "naive", 0),
        ("student", "confidence", 0),
        ("probe", "", -1),
        ("ngrams", "", -1),
    ):
        answers = run.predictions.filter(role=role, method=method, seed=seed)
        probabilities = np.array(answers["probabilities"].to_list())
        truth = answers["label"].to_numpy()
        assert np.bincount(truth).tolist() == [13, 13, 13]
        scores = {
            "accuracy": accuracy_score(truth, probabilities.argmax(axis=1)),
            "roc_auc": roc_auc_score(truth, probabilities, multi_class="ovr", average="macro"),
        }
        column = {"probe": "probe_ceiling", "ngrams": "ngrams"}.get(role, role)
        for metric, score in scores.items():
            for of_run in (run.cells.filter(metric=metric), run.table(metric)):
                of_role = of_run.filter(method=method) if method else of_run
                assert of_role[column].to_list() == pytest.approx([score] * len(of_role))
    assert [x.chance for x in run.lines()] == pytest.approx([1 / 3, 1 / 3])
    assert run.lines()[0].ngrams > 0.7, "the texts give their class away"


FORMATS = {
    "data.jsonl": (),
    "data.csv": ("--text-column", "question", "--label-column", "answer", "--id-column", "key"),
    "data.parquet": ("--group-column", "doc"),
    "data/en/train.jsonl": ("--subset", "en"),
}


def test_a_method_for_two_classes_refuses_three_before_anything_is_trained(tmp_path, capsys):
    path = write(tmp_path / "three.jsonl", rows(260, classes=3))
    command = ["run", "--task", str(path), *QUICK, "--methods", "confidence-openai-code"]
    assert main(command) == 2
    assert "is for 2 classes, and task three has 3" in capsys.readouterr().err


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_every_form_is_run(one_process, tmp_path, capsys, name):
    data = [row | {"key": f"k{i}", "doc": i // 4} for i, row in enumerate(rows(200))]
    if name == "data.csv":
        renamed = {"text": "question", "label": "answer"}
        data = [{renamed.get(k, k): v for k, v in row.items()} for row in data]
    write(tmp_path / name, data)
    path, out = tmp_path / name.partition("/")[0], tmp_path / "run"
    flags = ("--task", str(path), "--methods", "naive", *QUICK, *FORMATS[name], *SIZES)
    assert main(["run", *flags, "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    title = "data-en" if "/" in name else "data"
    assert shown.startswith(f"{title}: {path}")
    (task,) = Results(out).tasks
    assert (task["name"], task["reference"]) == (title, str(path))
    assert [row["examples"] for row in task["splits"]] == [40, 40, 12, 40]
    assert task["splits"][0]["groups"] == (10 if "doc" in FORMATS[name] else 40)
    assert (task["cleaning"]["read"], task["cleaning"]["kept"]) == (200, 132)
    assert task["truncated"] == {"atlas-xs": 0}
    assert set(Results(out).cells["task"]) == {title}
    ids = set(Results(out).predictions["id"])
    assert (ids <= {row["key"] for row in data}) == ("--id-column" in FORMATS[name])


def test_the_study_of_a_run_runs_again_and_flags_change_it(one_process, tmp_path, capsys):
    store, path = tmp_path / "store", write(tmp_path / "data.jsonl", rows(200))
    common = ("--store", str(store), "--quiet", "--out")
    first, again, other = (str(tmp_path / name) for name in ("first", "again", "other"))
    flags = ("--task", str(path), "--methods", "naive", *QUICK, *SIZES, "--no-near-duplicates")
    assert main(["run", *flags, *common, first]) == 0
    study = f"{first}/study.yaml"
    assert Results(tmp_path / "first").config.data == DataOptions(
        n_train=40, n_validation=12, n_test=40, near_duplicates=False
    )
    before = sorted(store.glob("*/*"))
    assert main(["run", study, *common, again]) == 0
    # The same texts by another name: keys hold contents.
    copy = shutil.copy(path, tmp_path / "copy.jsonl")
    assert main(["run", study, "--task", str(copy), *common, other]) == 0
    assert sorted(store.glob("*/*")) == before
    assert set(Results(tmp_path / "other").cells["task"]) == {"copy"}
    fewer = str(tmp_path / "fewer")
    assert main(["run", study, "--n-test", "20", "--near-duplicates", *common, fewer]) == 0
    config = Results(tmp_path / "fewer").config
    assert config.data == DataOptions(n_train=40, n_validation=12, n_test=20)


def test_truncation_is_counted_and_told(one_process, tmp_path, capsys, toy_models):
    data = rows(200)
    for row in data[:20]:
        row["text"] += " bird" * 100
    path, out = write(tmp_path / "long.jsonl", data), tmp_path / "run"
    models = ("--weak", str(toy_models["bert"]), "--strong", str(toy_models["llama"]))
    flags = (*QUICK, *models, "--no-near-duplicates", "--methods", "naive", "--out", str(out))
    assert main(["run", "--task", str(path), *flags]) == 0
    (line,) = [x for x in capsys.readouterr().out.splitlines() if "longer than a model" in x]
    assert "warning: long: texts are longer than a model reads, and are cut: 10.0% of the" in line
    assert line.count("10.0% of the texts for") == 2


def test_tasks_shows_what_a_file_holds_without_a_model(tmp_path, capsys):
    path = write(tmp_path / "data.jsonl", [*rows(150, classes=3), rows(1)[0]])
    assert main(["tasks", str(path), "atlas-asia"]) == 0
    shown = capsys.readouterr().out
    assert "150 of 151 rows are used." in shown
    assert "Left out as repeats of another row: 1." in shown
    assert "atlas-asia: GeoNames" in shown
    assert "tokens" not in shown
    assert main(["tasks", str(path), "--model", "atlas-xs", "--n-test", "30"]) == 0
    shown = capsys.readouterr().out
    assert "longest tokens" in shown
    assert "sky 33.3%" in shown
    assert main(["tasks", str(path), "--model", "atlas-xy"]) == 2
    assert "Unknown model 'atlas-xy'" in capsys.readouterr().err


def test_a_file_can_be_exported(tmp_path):
    path, out = write(tmp_path / "data.csv", rows(200)), tmp_path / "out.jsonl"
    assert main(["export", str(path), "--out", str(out), *SIZES]) == 0
    exported = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(exported) == 132
    assert {row["text"] for row in exported} <= {row["text"] for row in rows(200)}


def changed(**values):
    """Good rows, the third of which has other values."""
    return [row | values if i == 2 else row for i, row in enumerate(rows(60))]


NAN = b'{"text": "a", "label": 0}\n{"text": NaN, "label": 1}\n'
OWN = "are for your own data"
STRICT = ("--strict-rows",)
BAD = {
    "a missing column": ("d.csv", [{"txt": "a", "label": 0}], (), r"d\.csv has no column 'text', "
     r"the nearest is 'txt'; it has txt, label: name the right one with --text-column"),
    "one class only": ("d.jsonl", rows(60, classes=1), (), r"d\.jsonl has only one class, 'fruit'"),
    "too few of a class": ("d.jsonl", rows(7), (), r"Class 'rock' .* few different examples \(3\)"),
    "fewer than asked for": ("d.jsonl", rows(60), ("--n-train", "50"),
     r"d\.jsonl has 60 examples of even classes, .* need 104: lower --n-train"),
    "a size of nothing": ("d.jsonl", rows(60), ("--n-test", "0"), r"--n-test must be at least 1"),
    "no labels at all": ("d.jsonl", [r | {"label": -1} for r in rows(60)],
     (), r"d\.jsonl has -1 in every row of column 'label', which stands for no label: choose"),
    "labels of two kinds": ("d.jsonl", changed(label=1), STRICT, r"row 3 has the label 1 where"),
    "no label": ("d.jsonl", changed(label=None), STRICT, r"d\.jsonl, row 3 has no label"),
    "empty text": ("d.parquet", changed(text=" "), STRICT, r"row 3 has no text in column 'text'"),
    "no text": ("d.csv", changed(text=None), STRICT, r"d\.csv, row 3 has no text in column 'text'"),
    "many bad rows": ("d.jsonl", [*rows(60), *[{"text": "", "label": "rock"}] * 4], (),
     r"row 61 has no text in column 'text', and 3 other rows of 64 are malformed, too .*: fill it"),
    "text that is not a number": ("d.jsonl", NAN, (), r"d\.jsonl, row 2 has no text in column"),
    "a broken line": ("d.jsonl", b'{"text": "a"', (), r"d\.jsonl, row 1 is no JSON"),
    "a broken file": ("d.parquet", b"PAR1 and no more", (), r"d\.parquet cannot be read .*parquet"),
    "an empty file": ("d.csv", b"", (), r"d\.csv has no rows: choose a file with examples"),
    "no file": (None, None, ("--task", "none.jsonl"), r"none\.jsonl cannot be read \(No such file"),
    "an unknown ending": ("d.txt", b"text", (), r"d\.txt must end in \.jsonl, \.csv, \.parquet"),
    "no folder": (None, None, ("--task", "./none"), r"There is no folder \./none"),
    "no such split": ("d/train.csv", rows(60), ("--split", "dev"), r"no split 'dev'; it has train"),
    "no such subset": ("d/train.csv", rows(60), ("--subset", "en"), r"no subset 'en'; .*--subset"),
    "an unknown task": (None, None, ("--task", "atlas-asai"),
     r"Unknown task 'atlas-asai': .*atlas-asia.* a file ends in \.jsonl, \.csv, "),
    "a name that is taken": ("atlas-asia.csv", rows(60), (), r"called atlas-asia, .*: rename the"),
    "one name twice": ("d.csv", rows(60), ("--task", "d.csv", "./d.csv"), r"both be called d: ren"),
    "one group in the test split": ("d.jsonl", [r | {"g": i // 16} for i, r in enumerate(rows(64))],
     ("--group-column", "g"), r"Task d: all of its test split is one group"),
    "unseen entities": ("d.jsonl", rows(60), ("--entities", "unseen"), r"Task d has no unseen ent"),
    "sizes of the atlas": (None, None, ("--task", "atlas-asia", "--n-train", "9"), OWN),
    "a column of the atlas": (None, None, ("--text-column", "question"), OWN),
    "uneven classes of the atlas": (None, None, ("--no-balance",), OWN),
    "a split of one file": ("d.csv", rows(60), ("--split", "test"), r"d\.csv is a single file: -"),
}  # fmt: skip


def refused(arguments, sentence, capsys):
    """One sentence on standard error, exit code 2, and nothing else has happened."""
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    assert line.startswith("error: ")
    assert re.search(sentence, line)


@pytest.mark.parametrize("what", BAD)
def test_bad_data_are_refused_before_anything_is_trained(what, tmp_path, capsys, monkeypatch):
    name, data, flags, sentence = BAD[what]
    monkeypatch.chdir(tmp_path)
    task = ()
    if name is not None:
        write(tmp_path / name, data)
        task = () if "--task" in flags else ("--task", name.partition("/")[0])
    refused(["run", *task, *flags, "--out", "run"], sentence, capsys)
    assert not (tmp_path / "run").exists()


def responded(kind):
    """An error of the hub, with the response of whichever HTTP library is beneath."""
    from importlib import import_module

    library = import_module(errors.HfHubHTTPError.__mro__[1].__module__.split(".")[0])
    response = library.Response(404, request=library.Request("GET", "https://hub.test"))
    return kind("404 Client Error.", response=response)


REFUSALS = {
    "gated": (responded(errors.GatedRepoError), r"owner/name is gated: accept its terms on https:"),
    "not found": (responded(errors.RepositoryNotFoundError), r"There is no dataset owner/name on"),
    "no revision": (responded(errors.RevisionNotFoundError), r"no revision 'v9': .* behind the @"),
    "no network": (ConnectionError("Name not known"), r"owner/name cannot be had .*check the netw"),
}


@pytest.mark.parametrize("what", REFUSALS)
@pytest.mark.parametrize("command", ["run", "export", "tasks"])
def test_what_the_hub_refuses_is_one_sentence(what, command, tmp_path, capsys, monkeypatch):
    error, sentence = REFUSALS[what]

    def dataset_info(self, repo, revision):
        assert (repo, revision) == ("owner/name", "v9")
        raise error

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", dataset_info)
    if what == "no network":
        monkeypatch.setattr(huggingface_hub, "snapshot_download", dataset_info_fails)
    arguments = {"run": ["--task"], "export": ["--out", str(tmp_path / "x")], "tasks": []}
    refused([command, *arguments[command], "owner/name@v9"], sentence, capsys)


def dataset_info_fails(*args, **kwargs):
    """The hub's cache has nothing either."""
    raise errors.LocalEntryNotFoundError("not in the cache")


def test_a_dataset_of_the_hub_is_run_at_its_commit(one_process, tmp_path, capsys, monkeypatch):
    commit = "0123456789abcdef0123456789abcdef01234567"
    write(tmp_path / commit / "train.jsonl", rows(200))
    info = SimpleNamespace(
        sha=commit, siblings=[SimpleNamespace(rfilename="train.jsonl")], card_data=None
    )
    asked = []

    def dataset_info(self, repo, revision):
        asked.append(revision)
        return info

    monkeypatch.setattr(find, "_AT_COMMIT", {})
    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", dataset_info)
    monkeypatch.setattr(
        huggingface_hub, "snapshot_download", lambda repo, **options: str(tmp_path / commit)
    )
    flags = ("--task", "owner/name", "--methods", "naive", *QUICK, "--out", str(tmp_path / "run"))
    assert main(["run", *flags]) == 0
    run = Results(tmp_path / "run")
    assert run.config.tasks == (f"owner/name@{commit}",)
    assert set(run.cells["task"]) == {"owner-name"}
    assert run.tasks[0]["source"].endswith(f"commit {commit}")
    assert asked == [None], "the commit is looked up once"
