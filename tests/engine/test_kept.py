"""Models that a run keeps: trained once, linked to the store, and in no other key."""

import json
import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from weak2strong.cli import main
from weak2strong.engine.kept import Cell, check_kept, keeping, roles_of, sizes_told
from weak2strong.engine.run import run_study
from weak2strong.ground.errors import UserError
from weak2strong.ground.store import Store
from weak2strong.protocol.steps import Step
from weak2strong.tasks import TASKS

TASK = "atlas-landlocked"


def keys(store):
    return {(entry.stage, entry.key) for entry in Store(store).entries()}


@pytest.fixture(scope="module")
def study(quick_study):
    short = replace(quick_study.weak_training, steps=6)
    methods = ("naive", "linear-probe")
    return replace(quick_study, methods=methods, weak_training=short, strong_training=short)


@pytest.fixture(scope="module")
def runs(study, tmp_path_factory):
    """A run without models, the same with models of all roles, and one that kept them at once."""
    root = tmp_path_factory.mktemp("kept")
    stores = root / "later", root / "once"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("W2S_STORE", str(root / "unused"))
        run_study(study, root / "run", stores[0])
        before = keys(stores[0])
        # What trains no model is the same.
        shutil.copytree(*stores)
        for stage in ("finetune", "student"):
            shutil.rmtree(stores[1] / stage)
        run_study(study, root / "run", stores[0], keep=("all",))
        run_study(study, root / "at-once", stores[1], keep=("student", "ceiling", "supervisor"))
    return root, before


def test_no_other_key_depends_on_it(runs):
    root, before = runs
    later, once = keys(root / "later"), keys(root / "once")
    assert before < later
    assert {stage for stage, _ in later - before} == {"kept"}
    assert later == once


def test_a_model_is_trained_once_or_once_more_which_is_told(runs):
    root, _ = runs

    def notes(run):
        events = map(json.loads, (root / run / "events.jsonl").read_text().splitlines())
        steps = [e for e in events if e["event"] == "step"]
        return [stage["note"] for e in steps for stage in e["stages"]]

    assert any("trained once more" in note for note in notes("run"))
    assert not any("trained once more" in note for note in notes("at-once"))
    assert any("no one finetuned model" in note for note in notes("at-once"))


@pytest.mark.parametrize("run", ["run", "at-once"])
@pytest.mark.parametrize(
    ("role", "folder"),
    [("floor", "supervisor"), ("ceiling", "ceiling"), ("student", "student-naive")],
)
def test_a_kept_model_predicts_what_the_run_has(runs, tmp_path, capsys, role, folder, run):
    root, _ = runs
    model = root / run / "models" / TASK / f"{folder}-seed-0"
    theirs = pl.read_parquet(root / run / "predictions.parquet").filter(role=role)
    theirs = theirs.filter(pl.col("method").is_in(["", "naive"]))
    texts = {e.item.id: e.item.text for e in TASKS.get(TASK).load()}
    asked = theirs["id"].to_list()[::9]
    (tmp_path / "texts.jsonl").write_text(
        "".join(json.dumps({"id": id, "text": texts[id]}) + "\n" for id in reversed(asked))
    )
    out = tmp_path / "answers.parquet"
    arguments = ["--model", str(model), "--task", str(tmp_path / "texts.jsonl"), "--out", str(out)]
    assert main(["predict", *arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["scores"] == [], "there are no labels"
    both = pl.read_parquet(out).join(theirs, on="id", suffix="_then")
    assert len(both) == len(asked)
    now, then = (np.array(both[c].to_list()) for c in ("probabilities", "probabilities_then"))
    np.testing.assert_allclose(now, then, atol=1e-6)


def test_weights_are_links_and_the_card_tells_scores(runs):
    root, _ = runs
    folder = root / "at-once" / "models" / TASK / "student-naive-seed-0"
    (stored,) = [
        entry.path
        for entry in Store(root / "once").entries()
        if entry.stage == "kept"
        for file in [entry.path / "model" / "model.safetensors"]
        if file.samefile(folder / "model.safetensors")
    ]
    assert (stored / "predictions.parquet").is_file()
    row = pl.read_parquet(root / "at-once" / "results.parquet").filter(
        method="naive", metric="accuracy"
    )
    card = (folder / "README.md").read_text()
    for name in ("floor", "student", "ceiling"):
        assert f"| {name} | {row[name][0]:.4f} |" in card
    assert json.loads((folder / "config.json").read_text())["id2label"] == {"0": "no", "1": "yes"}
    assert len(list(folder.parent.iterdir())) == 3


@pytest.mark.slow
def test_kept_models_are_the_next_studys(runs, study, toy_models, tmp_path):
    model = runs[0] / "run" / "models" / TASK
    shutil.copytree(toy_models["llama"], tmp_path / "base")
    lora = replace(
        study,
        strong=replace(study.strong, name=str(tmp_path / "base"), adaptation="lora"),
        methods=("naive",),
    )
    run_study(lora, tmp_path / "lora", tmp_path / "store", keep=("student",))
    adapters = tmp_path / "lora" / "models" / TASK / "student-naive-seed-0"
    later = replace(
        lora,
        weak=replace(lora.weak, name=str(model / "supervisor-seed-0")),
        strong=replace(lora.strong, name=str(adapters)),
    )
    run_study(later, tmp_path / "later", tmp_path / "store", keep=("student",))
    kept = tmp_path / "later" / "models" / TASK / "student-naive-seed-0"
    assert (kept / "model.safetensors").is_file()
    assert "PGR of this seed alone | " in (kept / "README.md").read_text()
    (tmp_path / "base").rename(tmp_path / "gone")
    with pytest.raises(UserError, match=r"stands on the model .*base, which is not to be had"):
        run_study(later, tmp_path / "again", tmp_path / "store")
    assert not (tmp_path / "again").exists()


def test_labels_are_scored_and_wrong_ones_refused(runs, tmp_path, capsys):
    root, _ = runs
    model = str(root / "run" / "models" / TASK / "ceiling-seed-0")
    file = tmp_path / "texts.csv"
    file.write_text("text,label\nLyon is a city in,yes\nLima is a city in,no\n")
    out = str(tmp_path / "answers.parquet")
    assert main(["predict", "--model", model, "--task", str(file), "--out", out]) == 0
    assert "Scores on 2 texts with labels" in capsys.readouterr().out
    file.write_text("text,label\nLyon is a city in,perhaps\n")
    assert main(["predict", "--model", model, "--task", str(file), "--out", out]) == 2
    assert "the model knows the classes no, yes" in capsys.readouterr().err
    file.write_text("words\nLyon\n")
    assert main(["predict", "--model", model, "--task", str(file), "--out", out]) == 2
    assert "has no column 'text'" in capsys.readouterr().err
    file.write_text("text,label\nLyon is a city in,yes\n")
    assert main(["predict", "--model", model, "--task", str(file), "--out", out]) == 0
    shown, said = capsys.readouterr()
    assert "Read as texts with classes: text from text; class from label." in said
    assert "which need labels of every class, and no label is 'no'." in " ".join(said.split())
    assert "accuracy" in shown
    assert "nan" not in shown
    file.write_bytes("city,label,end\nK\xf6ln,yes,in\nLyon,,\n".encode("latin-1"))
    flags = ["--encoding", "latin-1", "--template", "{city} is a city {end}"]
    asked = ["predict", "--model", model, "--task", str(file), "--out", out, *flags]
    assert main(asked) == 2
    assert "row 2 has no text in column 'end'" in capsys.readouterr().err
    file.write_bytes(file.read_bytes() + b"Lima,no,in\n" * 20)
    assert main(asked) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "row 2 has no text in column 'end'): 1." in said
    assert "21 answers written" in said
    assert main(["predict", "--model", model, "--task", TASK, "--encoding", "latin-1"]) == 2
    assert "is not read from a file" in capsys.readouterr().err
    out = str(tmp_path / "answers.txt")
    assert main(["predict", "--model", model, "--task", str(file), "--out", out]) == 2
    assert "ends in neither .parquet nor .csv" in capsys.readouterr().err
    assert not (tmp_path / "answers.txt").exists()
    as_csv = str(tmp_path / "answers.csv")
    again = [as_csv if word == asked[6] else word for word in asked]
    assert main(again) == 0
    frame, given = pl.read_csv(as_csv), pl.read_parquet(asked[6])
    assert frame.columns == ["id", "answer", "p:no", "p:yes"]
    assert frame["p:yes"].to_list() == [p[1] for p in given["probabilities"]]


def test_what_cannot_be_kept_is_refused(study):
    assert roles_of(("all",)) == roles_of(("supervisor", "ceiling", "student"))
    with pytest.raises(UserError, match="--keep-models takes"):
        roles_of(("floor",))
    simulated = replace(study, simulated="random-flips", simulated_accuracy=0.7)
    with pytest.raises(UserError, match="no supervisor is trained"):
        check_kept(simulated, {}, ("supervisor",))


@pytest.fixture(scope="module")
def without_models(runs, tmp_path_factory):
    """A store with the results of a run, and none of its models."""
    store = tmp_path_factory.mktemp("without") / "store"
    shutil.copytree(runs[0] / "later", store, ignore=shutil.ignore_patterns("kept"))
    return store


def exported(run, store, out, *flags):
    return main(["export-model", str(run), "--store", str(store), "--out", str(out), *flags])


@pytest.mark.parametrize("flags", [("student", "--method", "naive"), ("supervisor",)])
def test_a_model_is_exported_from_a_run_that_kept_none(
    runs, without_models, tmp_path, capsys, flags
):
    run, out = runs[0] / "run", tmp_path / "exported"
    assert exported(run, without_models, out, "--role", *flags) == 0
    said = capsys.readouterr()
    assert "It answers the test set as in the run." in said.out
    assert "trained once more" in said.err
    name = "-".join(word for word in flags if word != "--method")
    kept = run / "models" / TASK / f"{name}-seed-0"
    assert {f.name: f.read_bytes() for f in out.iterdir()} == {
        f.name: f.read_bytes() for f in kept.iterdir()
    }


def test_an_exported_model_that_answers_otherwise_is_told(runs, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(runs[0] / "run", run)
    (run / "run.json").unlink()
    file = run / "predictions.parquet"
    turned = pl.read_parquet(file).with_columns(pl.col("probabilities").list.reverse())
    turned.write_parquet(file)
    assert exported(run, runs[0] / "later", tmp_path / "a", "--role", "ceiling") == 0
    said = capsys.readouterr()
    assert "warning: its probabilities on the test set differ from those of the run by" in said.out
    assert "trained once more" not in said.err
    turned.with_columns(pl.col("id") + "-of-another-file").write_parquet(file)
    assert exported(run, runs[0] / "later", tmp_path / "b", "--role", "ceiling") == 0
    assert "answers to other test examples" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("student",), "The run has students of naive, linear-probe: name one of them"),
        (("student", "--method", "nave"), "Unknown method of the run 'nave': did you mean naive?"),
        (("student", "--method", "linear-probe"), "is no one finetuned model"),
        (("supervisor", "--method", "naive"), "is trained without a method"),
        (("ceiling", "--method", "naive"), "is trained without a method"),
        (("ceiling", "--seed", "1"), "The run has no seed 1: choose --seed from 0 to 0"),
        (("ceiling", "--task", "atlas-suthern"), "Unknown task of the run"),
    ],
)
def test_what_a_run_has_no_model_of_is_refused(runs, tmp_path, capsys, flags, sentence):
    run = runs[0] / "run"
    assert exported(run, runs[0] / "later", tmp_path / "new", "--role", *flags) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_folder_that_holds_something_is_not_written_over(runs, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("Mine.")
    assert exported(runs[0] / "run", runs[0] / "later", tmp_path, "--role", "ceiling") == 2
    assert "holds something already" in capsys.readouterr().err
    assert [f.name for f in tmp_path.iterdir()] == ["notes.txt"]


def test_sizes_are_said_beforehand(study, runs):
    folder = runs[0] / "run" / "models" / TASK / "supervisor-seed-0"
    size = (folder / "model.safetensors").stat().st_size / 1e6
    steps = [Step("supervisor", TASK, seed) for seed in range(3)]
    (told,) = sizes_told(study, keeping(steps, ("supervisor", "student")))
    assert told.startswith(f"kept of the supervisor: 3 models (about {size:.1f} MB each, ")
    assert not list(sizes_told(study, keeping(steps, ("student",))))


def test_folders_of_methods_differ():
    names = ("naive", "probe-filter:logistic", "probe-filter+confidence", "a/b", "a-b")
    folders = {Cell("t", "student", 0, name).folder for name in names}
    assert len(folders) == len(names)
    assert all(len(folder.parts) == 3 for folder in folders)
