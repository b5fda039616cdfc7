"""Which pair a study of a user's own texts gets that names none, and what the ladder knows of them.

Nothing here asks a hub: its cache is a folder of toy models, and what it would say is faked.
"""

import io
import json
import random
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from huggingface_hub import constants

from weak2strong.cli import main
from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec, Unnamed
from weak2strong.config.study import StudyConfig
from weak2strong.engine import beforehand, rest
from weak2strong.engine.beforehand import foreknowledge_of
from weak2strong.engine.fetch import Needs
from weak2strong.experiments.grid import Grid
from weak2strong.ground.errors import UserError
from weak2strong.ground.progress import Progress
from weak2strong.ground.store import Store
from weak2strong.models import loaded, usual
from weak2strong.models.catalogue import OWN_TEXTS
from weak2strong.models.usual import hub_pair
from weak2strong.protocol.asked_model import asked_about
from weak2strong.protocol.foreknowledge import LEAST, foreknowledge, sample_of
from weak2strong.protocol.own_texts import with_pair_of_texts
from weak2strong.protocol.resolve import resolved, splits_of
from weak2strong.protocol.steps import steps
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks import TASKS
from weak2strong.tasks.find import find_task
from weak2strong.tasks.splits import make_splits
from weak2strong.tasks.task import Example, Item

WEAK, STRONG = OWN_TEXTS["cpu"]
SHA = "0123456789abcdef0123456789abcdef01234567"
GOOD, BAD = ("warm", "moving", "clever", "tender"), ("dull", "empty", "loud", "clumsy")


def reviews(folder, count=400):
    """A file of reviews of films that nobody made, half of them good ones."""
    draw, lines = random.Random(0), []
    for i in range(count):
        words = draw.choices(GOOD if i % 2 else BAD, k=2) + draw.choices(GOOD + BAD, k=1)
        text = f"Film {draw.randrange(10**6)} was {words[0]}, then {words[1]} and {words[2]}."
        lines.append(json.dumps({"text": text, "label": i % 2}))
    path = folder / "reviews.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Reviews, and a part of what `w2s export atlas-asia` writes."""
    folder = tmp_path_factory.mktemp("own")
    examples = sorted(TASKS.get("atlas-asia").load(), key=lambda e: e.item.id)[:900]
    rows = (json.dumps({"text": e.item.text, "label": e.label}) for e in examples)
    (folder / "asia.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return SimpleNamespace(reviews=str(reviews(folder)), asia=str(folder / "asia.jsonl"))


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """An empty cache of the hub."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def in_cache(cache, name, folder):
    root = cache / f"models--{name.replace('/', '--')}"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text(SHA)
    shutil.copytree(folder, root / "snapshots" / SHA)


def paired(reference, ask_hub=True, **settings):
    config = StudyConfig(tasks=(reference,), **settings)
    return with_pair_of_texts(config, [find_task(reference, config.data)], splits_of, ask_hub)


def test_a_model_that_nobody_named_is_the_same_model_and_known_as_that(files):
    config = replace(StudyConfig(), seeds=2, weak=replace(StudyConfig().weak, lora_rank=4))
    assert isinstance(config.weak, Unnamed)
    assert config.weak == ModelSpec("atlas-s", lora_rank=4) == config.weak.named()
    assert hash(config.weak) == hash(config.weak.named())
    assert type(config.weak.named("owner/name")) is ModelSpec
    assert config.weak.named("owner/name").lora_rank == 4
    assert config.weak != StudyConfig().weak
    # What is written names its models.
    read = StudyConfig.from_yaml(config.to_yaml())
    assert read == config
    assert type(read.weak) is ModelSpec
    assert isinstance(StudyConfig.from_yaml("tasks: [atlas-asia]").strong, Unnamed)
    assert type(resolved(StudyConfig()).strong) is ModelSpec


def test_texts_that_the_ladder_knows_are_its_own(files):
    found = paired(files.asia)
    assert (found.config.weak.name, found.config.strong.name) == ("atlas-s", "atlas-l")
    assert not found.downloads
    assert found.said.startswith("No model is named. The embedded ladder knows something of ")
    config = resolved(StudyConfig(tasks=(files.asia,), seeds=1))
    assert (config.weak.name, config.strong.name) == ("atlas-s", "atlas-l")


def test_offline_a_study_of_other_texts_ends_with_both_ways_on(files, capsys):
    with pytest.raises(UserError) as refused:
        paired(files.reviews)
    assert f"`w2s fetch {WEAK} {STRONG}`" in str(refused.value)
    assert "--weak atlas-s --strong atlas-l" in str(refused.value)
    assert "has read only geography, does not clearly know the texts of reviews" in str(
        refused.value
    )
    assert main(["run", "--task", files.reviews]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "offline mode is set" in line
    # A plan says it, and is made all the same.
    assert main(["run", "--task", files.reviews, "--dry-run"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"Plan of {WEAK} to {STRONG}" in shown
    assert "A run downloads about 465 MB before it trains" in shown
    assert "not measured here" in shown
    assert main(["run", "--task", files.reviews, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["said"].startswith("No model is named")


@pytest.mark.parametrize(
    "named",
    [
        {"weak": "atlas-s", "strong": "atlas-l"},
        {"strong": "atlas-l"},
        {"weak": "atlas-xs"},
        {"weak": "someone/weak", "strong": "someone/strong"},
    ],
    ids=lambda named: " ".join(named.values()),
)
def test_models_that_are_named_are_taken(files, named):
    models = {role: ModelSpec(name) for role, name in named.items()}
    config = StudyConfig(tasks=(files.reviews,), **models)
    found = with_pair_of_texts(config, [find_task(files.reviews, DataOptions())], splits_of, True)
    assert found.config is config
    assert not found.said


def test_a_registered_task_beside_them_keeps_the_ladder(files):
    tasks = [find_task(name, DataOptions()) for name in (files.reviews, "atlas-asia")]
    config = StudyConfig(tasks=(files.reviews, "atlas-asia"))
    assert with_pair_of_texts(config, tasks, splits_of, True).config is config


def test_what_the_cache_has_is_taken_without_asking_the_hub(files, cache, toy_models):
    in_cache(cache, WEAK, toy_models["gpt2"])
    in_cache(cache, STRONG, toy_models["llama"])
    found = paired(files.reviews, weak=Unnamed("atlas-s", adaptation="head"))
    assert (found.config.weak.name, found.config.strong.name) == (WEAK, STRONG)
    assert found.config.weak.adaptation == "head"
    assert not found.downloads
    assert "The hub's cache has all of it" in found.said
    # One file less, and it is not there.
    next((cache).rglob("model.safetensors")).unlink()
    with pytest.raises(UserError, match="offline mode is set"):
        paired(files.reviews)


def test_a_larger_pair_that_is_here_comes_before_a_download(cache, toy_models):
    everything = 2**60
    assert hub_pair("cpu", everything).missing == (WEAK, STRONG)
    assert (hub_pair("cuda", everything).weak, hub_pair("cuda", everything).strong) == (
        OWN_TEXTS["other"]
    )
    for name in ("openai-community/gpt2", "openai-community/gpt2-xl"):
        in_cache(cache, name, toy_models["gpt2"])
    assert hub_pair("cuda", everything).strong == "openai-community/gpt2-xl"
    # A processor would train it for weeks, and a GPU may not hold it.
    assert hub_pair("cpu", everything).strong == STRONG
    assert hub_pair("cuda", 1.0).strong == OWN_TEXTS["other"][1]


def test_a_download_is_said_before_with_its_size(files, monkeypatch):
    asked = []

    def downloads_of(spec):
        asked.append(spec.name)
        return (SimpleNamespace(bytes_missing=333_000_000),)

    monkeypatch.setattr(usual, "downloads_of", downloads_of)
    found = paired(files.reviews)
    assert found.downloads
    assert asked == [WEAK, STRONG]
    assert "666 MB are now downloaded from the Hugging Face hub (some 1 min at 10 MB/s, whi" in (
        found.said
    )
    # A plan asks nobody.
    assert paired(files.reviews, ask_hub=False).said != found.said
    assert asked == [WEAK, STRONG]
    # Only what is missing of what nobody named.
    asked.clear()
    found = paired(files.reviews, weak=ModelSpec("someone/weak"))
    assert asked == [STRONG]
    assert (found.config.weak.name, found.config.strong.name) == ("someone/weak", STRONG)


def test_a_hub_that_cannot_be_reached_is_told_with_its_reason(files, monkeypatch):
    def downloads_of(spec):
        raise UserError("Model x cannot be had: check the network.")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(usual, "downloads_of", downloads_of)
    with pytest.raises(UserError, match=r"the hub gives none .*check the network.*w2s fetch"):
        paired(files.reviews)


def test_weak_labels_of_the_users_own_need_a_student_alone(files, cache, toy_models, tmp_path):
    in_cache(cache, WEAK, toy_models["gpt2"])
    in_cache(cache, STRONG, toy_models["llama"])
    found = paired(files.reviews, weak_labels=tmp_path / "labels.csv")
    assert found.config.weak.name == found.config.strong.name == STRONG


def test_a_quiet_run_says_a_download_all_the_same():
    stream = io.StringIO()
    progress = Progress(stream, quiet=True)
    progress.line("not this")
    progress.say("but this")
    assert stream.getvalue().endswith("] but this\n")
    assert "not this" not in stream.getvalue()


def examples(count, text):
    return [
        Example(Item(f"{i:03}", f"g{i}", text(i)), i % 2) for i in range(count)
    ]  # fmt: skip


def test_what_a_model_knows_is_what_its_features_tell_beyond_letters_and_the_commonest(files):
    task, draw = find_task(files.reviews, DataOptions()), np.random.default_rng(0)
    numbers = draw.permutation(200)
    sample = examples(200, lambda i: f"text {numbers[i]}")
    labels = np.array([e.label for e in sample])
    telling = draw.normal(size=(200, 5)) + 3 * labels[:, None]
    noise = draw.normal(size=(200, 5))
    model = ModelSpec("atlas-l")
    found = foreknowledge(model, task, sample, telling)
    assert found.knows
    assert found.features > 0.95
    assert 0 < found.low < found.features - max(found.letters, found.commonest)
    assert "knows something of the task" in found.sentence
    found = foreknowledge(model, task, sample, noise)
    assert not found.knows
    assert "nothing shows that this model knows the task" in found.sentence
    # Where letters give the class away, nothing is shown by features that tell it as well.
    given_away = examples(200, lambda i: f"{'yes' if i % 2 else 'no'} {i}")
    found = foreknowledge(model, task, given_away, telling)
    assert found.letters == 1.0
    assert not found.knows
    # Rows of one group say the same thing once.
    grouped = [replace(e, item=replace(e.item, group=str(i // 25))) for i, e in enumerate(sample)]
    weaker = noise + 0.8 * labels[:, None]
    assert (
        foreknowledge(model, task, grouped, weaker).low
        != foreknowledge(model, task, sample, weaker).low
    )


def test_a_sample_is_of_weak_train_and_no_larger_than_takes_seconds(files, monkeypatch):
    task = find_task(files.asia, DataOptions())
    train = make_splits(task).weak_train
    small = sample_of(ModelSpec("atlas-l"), task, train, "cpu")
    assert LEAST <= len(small) <= len(train)
    assert set(small) <= set(train)
    assert sample_of(ModelSpec("atlas-l"), task, train[: LEAST - 1], "cpu") == []
    from weak2strong.models import rates

    monkeypatch.setattr(rates, "shape_of", lambda spec: SimpleNamespace(multiplied=7e11))
    assert sample_of(ModelSpec("atlas-l"), task, train, "cpu") == []
    written = replace(task, kind="generation")
    assert sample_of(ModelSpec("atlas-l"), written, train, "cpu") == []


def test_a_run_says_beforehand_whether_the_student_knows_anything(
    files, quick_study, tmp_path, monkeypatch
):
    study = replace(quick_study, tasks=(files.reviews,), methods=("naive",))
    config = resolved(study)
    task_run = TaskRun.of(config, Store(tmp_path / "store"), config.tasks[0])
    name = task_run.task.name
    todo, runs = steps(config, {name: task_run.task.kind}), {name: task_run}
    (found,) = foreknowledge_of(todo, runs)
    assert (found.task, found.model) == ("reviews", config.strong.name)
    assert not found.knows
    assert not task_run.used
    (entry,) = (tmp_path / "store" / "foreknown").glob("*/foreknowledge.json")
    stamp = entry.stat().st_mtime_ns
    assert list(foreknowledge_of(todo, runs)) == [found]
    assert entry.stat().st_mtime_ns == stamp
    assert list(foreknowledge_of([], runs)) == []

    # What the model took of a GPU is free for workers afterwards.
    freed = []
    with monkeypatch.context() as patch:
        patch.setattr(loaded, "best_device", lambda: torch.device("cuda"))
        patch.setattr(beforehand, "gpus_per_fit", lambda model: 1)
        patch.setattr(beforehand.stages, "foreknown", lambda task_run, device: found)
        patch.setattr(torch.cuda, "empty_cache", lambda: freed.append(True))
        assert list(foreknowledge_of(todo, runs)) == [found]
    assert freed == [True]

    # It is told before an engine is asked for anything.
    lines, begun = [], []

    class Shown(Progress):
        def line(self, text):
            lines.append(text)

    def engine(todo, keys):
        begun.append(list(lines))
        yield from ()

    rest.do_rest(todo, runs, Shown(quiet=True), lambda done: None, engine)
    assert begun == [[f"warning: {found.sentence}"]]


def test_a_model_is_asked_about_a_task(files, capsys):
    found = asked_about(ModelSpec("atlas-l"), files.asia)
    assert found.knows
    command = ["models", "--check", "atlas-l", "--tokens", "32", "--task"]
    assert main([*command, files.asia, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["foreknowledge"]
    assert told["knows"] is True
    assert told["features"] == found.features
    assert main(["models", "--task", files.asia]) == 2
    assert main([*command, "atlas-generation"]) == 2
    assert "cannot be told" in capsys.readouterr().err


def test_a_study_without_models_is_fetched_with_the_pair_that_it_will_take(files):
    needs = Needs()
    needs.add_study(StudyConfig(tasks=(files.reviews,)))
    assert [m.name for m in needs.models] == [WEAK, STRONG]
    needs = Needs()
    needs.add_study(StudyConfig(tasks=(files.asia,)))
    assert [m.name for m in needs.models] == ["atlas-s", "atlas-l"]


def test_the_models_of_a_grid_are_named(files):
    grid = Grid(tasks=files.reviews, models=("atlas-xs", "atlas-s"))
    study = grid.between("atlas-xs", "atlas-s")
    assert not isinstance(study.weak, Unnamed)
    found = with_pair_of_texts(study, [find_task(files.reviews, DataOptions())], splits_of, True)
    assert found.config is study
    needs = Needs()
    needs.add_study(grid.config, grid.further_models)
    assert {m.name for m in needs.models} == {"atlas-xs", "atlas-s", "atlas-l"}
