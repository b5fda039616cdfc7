"""Recipes have the figures of the literature, can be planned without a network, and run.

Each has an embedded twin, with the same settings but for what the small models and tasks need.
"""

import itertools
import json
import os
import random
import re
from dataclasses import asdict, replace
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from weak2strong.analysis.finished import Results
from weak2strong.cli import main
from weak2strong.config.data import DataOptions
from weak2strong.config.study import read_study
from weak2strong.engine.local import Plan
from weak2strong.losses.confidence import Confidence
from weak2strong.losses.confidence_openai_code import ConfidenceOpenaiCode
from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.methods.reference import find_method, settings_in
from weak2strong.models.catalogue import listed
from weak2strong.models.layers import layer_number
from weak2strong.probes import PROBES
from weak2strong.protocol.literature import REPORTED
from weak2strong.protocol.resolve import checked, resolve
from weak2strong.subjects.chess.board import START, read_board
from weak2strong.subjects.chess.notation import read_san
from weak2strong.tasks.files import sizes_of
from weak2strong.tasks.layout import choose
from weak2strong.tasks.parts import NAMES

FOLDER = Path(__file__).parents[1] / "recipes"
RECIPES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
TWINS = sorted(path.stem for path in (FOLDER / "embedded").glob("*.yaml"))
PLAN = {"llama1_to_llama2"}
"""Recipes that are nobody's study, and have no twin."""

COUNTS = {
    "openai_2023_public_code": 5 * 2 * 3,
    "burns_2023_nlp": 22 * 2 * 3,
    "burns_2023_bootstrapping": 1 * 3 * 3,
    "burns_2023_chess": 1 * 1 * 3,
    "burns_2023_generative": 1 * 2 * 3,
    "burns_2023_prompting": 22 * 4 * 3,
    "burns_2023_reward_modelling": 1 * 1 * 3,
    "burns_2023_saliency": 22 * 3 * 3,
    "eleuther_2024": 25 * 13 * 3,
    "anthropic_2026": 3 * 1 * 5,
    "llama1_to_llama2": 1 * 2 * 3,
    "burns_2023_vision": 1 * 1 * 3,
}
"""Cells: tasks x methods x seeds."""


def recipe(name):
    return read_study(FOLDER / f"{name}.yaml")


class Asked:
    """A context that notes the losses with which it is to finetune."""

    classes, weak_labels = 2, None

    def __init__(self):
        self.losses = []

    def finetune(self, labels, loss):
        self.losses.append(loss)


def losses_of(config):
    """The losses of a study's methods."""
    context = Asked()
    for reference in config.methods:
        find_method(reference).run(context)
    return context.losses


def test_all_are_counted_and_all_but_the_plan_have_a_twin():
    assert set(RECIPES) == set(COUNTS)
    assert set(TWINS) == set(RECIPES) - PLAN


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_a_study_whose_settings_are_all_known(name):
    config = recipe(name)
    checked(config)
    assert type(config).from_yaml(config.to_yaml()) == config
    written = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    assert all(value is not None for value in written.values())


def fools_mates():
    """Lines of a file of puzzles, and the games: fool's mate after two moves of no matter."""
    white = ("a3", "a4", "b3", "b4", "c3", "c4", "h3", "Na3", "Nc3")
    black = (
        "a6",
        "a5",
        "b6",
        "b5",
        "c6",
        "c5",
        "h6",
        "h5",
        "Na6",
        "Nc6",
        "d6",
        "d5",
        "f5",
        "g6",
        "Nh6",
    )
    rows, games = ["PuzzleId,FEN,Moves,Rating,RatingDeviation,Popularity,NbPlays,Themes,"
                   "GameUrl,OpeningTags"], []  # fmt: skip
    for i, (first, answer) in enumerate(itertools.product(white, black)):
        board = read_board(START)
        for move in (first, answer, "f3", "e5"):
            board = board.after(read_san(board, move))
        site = f"https://lichess.org/game{i:04}"
        rows.append(f"p{i},{board.fen},g2g4 d8h4,{900 + i},75,90,9,mateIn1,{site},")
        moves = f"1. {first} {answer} 2. f3 e5 3. g4 Qh4# 0-1"
        games.append(f'[Event "x"]\n[Site "{site}"]\n\n{moves}\n\n')
    return "\n".join(rows) + "\n", "".join(games)


def stand_ins(folder, config):
    """Files by the names of a recipe, where it names files of the user's."""
    if config.tasks[0].startswith("chess-puzzles="):
        puzzles, games = fools_mates()
        with pa.CompressedOutputStream(folder / "lichess_db_puzzle.csv.zst", "zstd") as packed:
            packed.write(puzzles.encode())
        (folder / "games.pgn").write_text(games)
    for name in config.tasks:
        # A folder that is not there is refused, also in a plan.
        if name.startswith("./labeled_data/"):
            write_parts(folder / name)
    if config.weak.name.endswith(".pth"):
        (folder / config.weak.name).write_bytes(b"weights")
        for number in range(120):
            file = folder / config.tasks[0] / f"n{number % 2:08}" / f"{number}.ppm"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"P6 1 1 255\n" + bytes([number] * 3))


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_planned_without_a_network(name, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stand_ins(tmp_path, recipe(name))
    before = sorted(tmp_path.rglob("*"))
    assert main(["run", str(FOLDER / f"{name}.yaml"), "--dry-run"]) == 0
    shown = capsys.readouterr()
    config = recipe(name)
    assert f"Plan of {config.weak.name} to {config.strong.name}; nothing is" in shown.out
    assert f"\n{COUNTS[name]} cells: " in shown.out
    # Once among the cells and once as a stage; long names are broken into lines.
    together = "".join(shown.out.split())
    assert all(together.count(method) > 1 for method in config.methods)
    passes = "bootstrapping" in config.methods
    assert ("Models between are counted as the student is" in shown.out) == passes
    if passes:
        # The student and two models before it, for three seeds.
        (row,) = (x for x in shown.out.splitlines() if x.startswith("student bootstrapping "))
        assert row.split()[3:5] == ["3", "9"]
    known = config.strong.name in listed()
    memory = f"Memory of {config.strong.name}, {config.strong.adaptation}: "
    assert (memory in shown.out) == known
    assert shown.err == ""
    assert sorted(tmp_path.rglob("*")) == before
    assert not Path(os.environ["W2S_STORE"]).exists()


FIRST = ("burns_2023_bootstrapping",)
"""Twins whose plans the fast suite makes; those of all take ten seconds, and show the same."""

NEEDED = {"tasks", "data", "weak", "strong", "intermediates", "seeds"}
"""What differs between a recipe and its twin: data, and models, which are compared below."""

OF_MODELS = {"name", "head_states"}
OF_TRAININGS = {"learning_rate"}

OTHERWISE = {
    "anthropic_2026": {"seeds"},
    "burns_2023_bootstrapping": {"epochs", "metric"},
    "burns_2023_chess": {"epochs", "metric"},
    "burns_2023_generative": {"batch_size"},
    "burns_2023_reward_modelling": {"batch_size"},
    "burns_2023_vision": {"weak", "weak_training"},
    "eleuther_2024": {"warmup", "warmup_steps", "evaluations", "evaluate_every"},
}
"""What else does, as the heads of the twins say."""


def without(fields, names):
    return {name: value for name, value in asdict(fields).items() if name not in names}


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_has_the_settings_of_its_recipe(name):
    config, twin = recipe(name), recipe(f"embedded/{name}")
    also = OTHERWISE.get(name, set())
    trainings = {"weak_training", "strong_training"}
    left_out = NEEDED | trainings | also
    assert without(twin, left_out) == without(config, left_out)
    for role in ("weak", "strong"):
        if role in also:
            continue
        a, b = getattr(twin, role), getattr(config, role)
        assert without(a, OF_MODELS) == without(b, OF_MODELS)
    for role in trainings - also:
        a, b = getattr(twin, role), getattr(config, role)
        assert without(a, OF_TRAININGS | also) == without(b, OF_TRAININGS | also)
    assert len(twin.intermediates or ()) == len(config.intermediates or ())
    assert twin.strong_training.learning_rate is None, "rates are those of the small models"


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_names_tasks_models_and_methods_that_are_here(name):
    config = recipe(f"embedded/{name}")
    found = resolve(config)
    assert found.left_out == {}
    assert found.config.methods == config.methods
    assert {m.revision for m in (found.config.weak, found.config.strong)} == {None}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in FIRST else pytest.mark.slow) for name in TWINS]
)
def test_a_twin_is_planned(name, capsys):
    assert main(["run", str(FOLDER / "embedded" / f"{name}.yaml"), "--dry-run"]) == 0
    shown = capsys.readouterr()
    twin = recipe(f"embedded/{name}")
    cells = len(twin.tasks) * len(twin.methods) * twin.seeds
    assert f"\n{cells} cells: " in shown.out
    assert "≈" not in shown.out, "texts and tokenizers are all here"
    assert shown.err == ""


def test_the_docs_list_recipes_and_twins():
    recipes, twins = (FOLDER.parent / "docs" / "recipes.md").read_text().split("\n## ")
    assert sorted(re.findall(r"\n\| `(\w+)` \|", recipes)) == RECIPES
    assert set(re.findall(r"\n\| `(\w+)` \|", twins)) <= set(TWINS)


def test_figures_are_those_of_the_literature():
    """As the project's notes on the protocol have them (section 2)."""
    for name in RECIPES:
        config = recipe(name)
        heads = {m.head_states for m in (config.weak, config.strong)}
        # Who writes moves has no head.
        assert heads == ({"auto"} if config.metric == "exact_match_cased" else {"raw"})
    openai = recipe("openai_2023_public_code")
    for training in (openai.weak_training, openai.strong_training):
        assert (training.epochs, training.batch_size, training.schedule) == (2, 32, "cosine")
        assert (training.dropout, training.stopping) == (False, "none")
    rates = (openai.weak_training.learning_rate, openai.strong_training.learning_rate)
    assert rates == (5e-5, 1e-5)
    assert {m.head_start for m in (openai.weak, openai.strong)} == {"zero"}
    assert losses_of(openai) == [CrossEntropy(), ConfidenceOpenaiCode()]
    assert openai.data.balance is False

    burns = recipe("burns_2023_nlp")
    assert (burns.metric, burns.labels, burns.tasks) == ("accuracy", "soft", ("burns-nlp",))
    assert {m.adaptation for m in (burns.weak, burns.strong)} == {"full"}
    for training in (burns.weak_training, burns.strong_training):
        assert (training.epochs, training.batch_size) == (2, 32)
        assert (training.stopping, training.stopping_metric) == ("weak-validation", "accuracy")
    assert burns.data == DataOptions(), "all the data"
    assert losses_of(burns) == [CrossEntropy(), Confidence(0.5, 0.2, "median")]

    eleuther = recipe("eleuther_2024")
    assert eleuther.saturated == 0.999
    assert (eleuther.weak.name, eleuther.strong.name) == (
        "Qwen/Qwen1.5-0.5B",
        "meta-llama/Meta-Llama-3-8B",
    )
    assert (eleuther.metric, eleuther.labels) == ("roc_auc", "soft")
    assert {m.lora_rank for m in (eleuther.weak, eleuther.strong)} == {8}
    for training, rate in ((eleuther.weak_training, 5e-4), (eleuther.strong_training, 8e-5)):
        assert (training.epochs, training.batch_size, training.learning_rate) == (3, 32, rate)
        assert (training.schedule, training.warmup_steps) == ("cosine", 40)
        assert (training.weight_decay, training.beta2) == (0.1, 0.95)
        assert (training.stopping_metric, training.evaluate_every) == ("roc_auc", 25)
    # Ground truth of its `val` for supervisor and ceiling, weak labels of it for students.
    assert eleuther.weak_training.stopping == eleuther.ceiling_training.stopping == "oracle"
    assert eleuther.strong_training.stopping == "weak-validation"
    sizes = {"weak_train": 5000, "strong_train": 5000, "validation": 1000, "test": 5000}
    assert sizes_of(eleuther.data) == sizes
    names = [name for method in eleuther.methods for name, _ in settings_in(method)]
    assert names == [
        *("naive", "strong-to-strong", "confidence", "window", "entropy", "entropy-eleuther-code"),
        *("probe-predict", "probe-predict", "probe-relabel", "probe-relabel"),
        *("probe-filter", "probe-filter", "probe-filter"),
    ]
    some = replace(eleuther, methods=(eleuther.methods[0], eleuther.methods[2]))
    assert losses_of(some) == [CrossEntropy(), Confidence(0.5, 0.213, "recent-32")]
    ((_, again),) = settings_in(eleuther.methods[1])
    assert (again["iterations"], again["goes_on"]) == (2, "always")
    for method in eleuther.methods[6:]:
        ((_, probe),) = settings_in(method)
        assert layer_number(probe["layer"], 32) == 16
        assert probe.get("drop", 0.1) == 0.1
    assert PROBES.get("knn")().k == PROBES.get("topofilter")().k == 50
    assert PROBES.get("logistic")().penalty == 0.01
    steps = eleuther.strong_training.steps_on(5000)
    assert steps * 0.213 == pytest.approx(100, abs=1)

    chess, bootstrapping = recipe("burns_2023_chess"), recipe("burns_2023_bootstrapping")
    for study in (chess, bootstrapping):
        for training in (study.weak_training, study.strong_training):
            assert (training.epochs, training.batch_size, training.stopping) == (5, 32, "none")
        assert {m.adaptation for m in (study.weak, study.strong)} == {"full"}
        assert (study.data.puzzles.form, study.data.puzzles.notation) == ("pgn", "san")
        assert study.metric == "exact_match_cased"
    assert len(bootstrapping.intermediates) == 2
    assert bootstrapping.methods[:2] == ("naive", "bootstrapping")

    for study in (recipe("burns_2023_reward_modelling"), recipe("burns_2023_generative")):
        for training in (study.weak_training, study.strong_training):
            assert (training.epochs, training.stopping) == (1, "none")
        assert (study.labels, study.metric) == ("soft", "accuracy")
    assert recipe("burns_2023_generative").methods == ("naive", "generative")

    for one, other in (
        (bootstrapping, chess),
        (recipe("burns_2023_generative"), recipe("burns_2023_reward_modelling")),
    ):
        differ = {"methods", "literature", "intermediates"}
        assert without(one, differ) == without(other, differ), "all else is the same, as it says"

    prompting, saliency = recipe("burns_2023_prompting"), recipe("burns_2023_saliency")
    for study in (prompting, saliency):
        assert without(study, {"methods", "literature"}) == without(
            burns, {"methods", "literature"}
        )
    asked = [settings_in(method)[0] for method in prompting.methods[1:]]
    assert [name for name, _ in asked] == ["zero-shot", "few-shot-weak", "few-shot"]
    assert [settings.get("k") for _, settings in asked] == [None, 5, 5]
    assert {find_method(m).saliency for m in saliency.methods} == {
        "ft(weak)", "lp(weak)", "ft(weak)+lp(gt)",
    }  # fmt: skip

    named = {study.literature for study in map(recipe, RECIPES)} - {None}
    assert named == set(REPORTED)

    vision = recipe("burns_2023_vision")
    assert (vision.weak.adaptation, vision.weak.head_start) == ("head", "own")
    assert (vision.strong.name, vision.strong.adaptation) == ("facebook/dino-vitb8", "head")
    training = vision.strong_training
    assert (training.epochs, training.batch_size, training.learning_rate) == (5, 128, 1e-3)
    assert (vision.labels, vision.metric, vision.data.n_test) == ("soft", "accuracy", 10_000)

    anthropic = recipe("anthropic_2026")
    assert (anthropic.weak.name, anthropic.strong.name) == (
        "Qwen/Qwen1.5-0.5B-Chat",
        "Qwen/Qwen3-4B-Base",
    )
    assert (anthropic.labels, anthropic.metric, anthropic.seeds) == ("hard", "accuracy", 5)
    assert {m.lora_rank for m in (anthropic.weak, anthropic.strong)} == {32}
    for training in (anthropic.weak_training, anthropic.strong_training):
        assert (training.epochs, training.batch_size, training.learning_rate) == (5, 32, 1e-4)
        assert (training.schedule, training.stopping) == ("linear", "none")


def test_the_subset_of_the_llama_plan_is_its_file():
    """The files of lmsys/toxic-chat at the revision of the recipe."""
    name = "toxic-chat_annotation"
    files = [f"data/{v}/{name}_{p}.csv" for v in ("0124", "1123") for p in ("all", "test", "train")]
    data = recipe("llama1_to_llama2").data
    _, chosen = choose("lmsys/toxic-chat", [*files, "README.md"], data.subset, data.split)
    assert chosen == ["data/0124/toxic-chat_annotation_all.csv"]


def write_parts(folder):
    """Three files of sentences about colours, some of them in two files."""
    dice = random.Random(0)
    words, signs = ("house", "river", "bird", "city", "sings"), ("red", "blue")
    folder.mkdir(parents=True)
    for name, first in zip(NAMES, (0, 110, 250), strict=True):
        rows = [
            {"prompt": " ".join([*dice.choices(words, k=3), signs[i % 2], str(i)]), "label": i % 2}
            for i in range(first, first + 120)
        ]
        if name == NAMES[1]:
            rows += [{"prompt": "The same in two files.", "label": 0}]
        if name == NAMES[2]:
            rows += [{"prompt": "the same in two files.", "label": 1}]
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.mark.parametrize("paths", ["folder", "files"])
def test_the_recipe_of_three_files_runs_on_them(paths, tmp_path, capsys, toy_models, monkeypatch):
    monkeypatch.setattr(Plan, "of", lambda *_: Plan(workers=1, threads=1))
    folder, out = write_parts(tmp_path / "chat"), tmp_path / "run"
    data = [folder] if paths == "folder" else [folder / name for name in NAMES]
    command = ["run", FOLDER / "anthropic_2026.yaml", "--data", *data, "--text-column", "prompt"]
    command += ["--weak", toy_models["gpt2"], "--strong", toy_models["llama"]]
    command += ["--seeds", 1, "--epochs", 1, "--quiet", "--out", out]
    command = [str(word) for word in command]
    assert main([*command, "--dry-run"]) == 0
    plan = capsys.readouterr().out
    assert not out.exists()
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "PGR [95%]" in shown
    assert "since another split has them, or what belongs to them: 1." in shown
    run = Results(out)
    assert (run.config.labels, run.config.strong_training.schedule) == ("hard", "linear")
    (task,) = run.tasks
    assert task["name"] == "chat"
    sizes = {row["split"]: row["examples"] for row in task["splits"]}
    assert sizes == {"weak_train": 120, "strong_train": 108, "validation": 12, "test": 121}
    line = next(line for line in plan.splitlines() if line.startswith("chat "))
    assert line.split()[1:5] == [str(n) for n in sizes.values()]


def test_data_and_task_are_one_or_the_other(tmp_path, capsys):
    folder = write_parts(tmp_path / "chat")
    for command, sentence in (
        (["--task", "atlas-asia", "--data", folder], "--task and --data both name tasks"),
        (["--data", tmp_path], f"and {tmp_path} is no such folder"),
        (["--data", folder / NAMES[0], folder / NAMES[1]], "or three such files, and"),
    ):
        assert main(["run", *map(str, command)]) == 2
        assert sentence in capsys.readouterr().err
