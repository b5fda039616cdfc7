"""A ladder from facts to card: the same from any number of workers, and after interruptions."""

from dataclasses import asdict, replace

import pytest

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.load import load_model
from weak2strong.subjects.atlas.facts import seen_cities, unseen_cities
from weak2strong.subjects.atlas.ladder import build as module
from weak2strong.subjects.atlas.ladder import tokens
from weak2strong.subjects.atlas.ladder.build import build_ladder
from weak2strong.subjects.atlas.ladder.card import read_card
from weak2strong.tasks.task import Item
from weak2strong.training.predict import predict


class KilledError(Exception):
    pass


@pytest.fixture(autouse=True)
def _quick(small_corpus):
    """Tokenizers from one chunk of text."""


@pytest.fixture(scope="module")
def recipe(recipe):
    """60 steps of 64 tokens."""
    return replace(recipe, tokens=60 * 64 + 40)


@pytest.fixture(scope="module")
def rungs(rung):
    return [replace(rung, name="a"), replace(rung, name="b", width=24, learning_rate=5e-3)]


@pytest.fixture
def in_process(monkeypatch):
    """Workers that run in this process, so that tests can look at and stop them."""
    return trained_here(monkeypatch)


@pytest.fixture(scope="module")
def built(tmp_path_factory, recipe, rungs):
    """The ladder, built in this process in one go; nobody changes it."""
    folder = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "TRAINING_CHUNKS", 1)
        trained_here(patch)
        build_ladder(folder, recipe, rungs)
    return folder


def trained_here(monkeypatch):
    """Let workers run in this process: the names of rungs, once they are trained."""
    trained = []

    class Messages:
        def __init__(self, report):
            self.put = lambda message: report(*message)

    def run(todo, recipe, folder, work, workers, report):
        for rung in todo:
            module._one_rung(rung, recipe, folder, work, Messages(report))
            trained.append(rung.name)

    monkeypatch.setattr(module, "_run_workers", run)
    # It would turn Ctrl-C off in this process.
    monkeypatch.setattr(module, "begin_worker", lambda threads: None)
    return trained


def files(folder):
    """All that two builds must agree on."""
    found = {
        f.relative_to(folder).as_posix(): f.read_bytes()
        for f in folder.rglob("*")
        if f.is_file() and f.name != "card.json"
    }
    card = read_card(folder)
    for record in card["rungs"]:
        del record["seconds"]
    return found | {"card.json": card}


def test_one_process_and_two_workers_give_the_same_ladder(tmp_path, recipe, rungs, built):
    said = []
    pair = tmp_path / "pair"
    build_ladder(pair, recipe, rungs, workers=2, report=lambda *x: said.append(x))
    assert files(pair) == files(built)
    assert {f.name for f in pair.iterdir()} == {"a", "b", "card.json"}
    assert (pair / "a" / "model.safetensors").read_bytes() != (
        pair / "b" / "model.safetensors"
    ).read_bytes()
    assert {(rung, step, steps) for rung, step, steps, _ in said} >= {
        (name, 50, 60) for name in "ab"
    }


def test_the_card_says_what_was_built_and_what_it_knows(
    tmp_path, recipe, rungs, in_process, monkeypatch
):
    asked = []

    def known(folder, cities):
        asked.append((folder.name, len(cities)))
        assert (folder / "model.safetensors").exists()
        return [c.population % 3 == 0 for c in cities]

    monkeypatch.setattr(module, "known_countries", known)
    card = build_ladder(tmp_path, recipe, rungs)
    assert card == read_card(tmp_path)
    assert card["recipe"] == asdict(recipe)
    seen, unseen = seen_cities(6_000_000), unseen_cities(6_000_000)
    assert card["cities"] == {"seen": len(seen), "unseen": len(unseen)}
    assert asked == [(r, n) for r in "ab" for n in (len(seen), len(unseen))]
    assert [r["name"] for r in card["rungs"]] == ["a", "b"]
    for record in card["rungs"]:
        for name, cities in (("seen", seen), ("unseen", unseen)):
            share = sum(c.population % 3 == 0 for c in cities) / len(cities)
            assert record[f"known_{name}"] == round(share, 4)
            assert 0 < share < 1


def test_a_built_rung_is_a_model_like_any_other(built, recipe):
    model = load_model(ModelSpec(str(built / "a")), "classification", 2, seed=0)
    assert model.tokenizer.pad_token_id == 0
    assert model.tokenizer.model_max_length == recipe.context
    items = [Item(n, n, f"{n} is a city in") for n in ("Lyon", "Lima")]
    assert predict(model, items).probabilities.shape == (2, 2)


def test_an_interrupted_build_goes_on_and_makes_nothing_twice(
    tmp_path, recipe, rungs, in_process, monkeypatch, built
):
    def killed(rung, step, steps, loss):
        if (rung, step) == ("b", 50):
            raise KilledError

    with pytest.raises(KilledError):
        build_ladder(tmp_path / "parts", recipe, rungs, report=killed)
    assert in_process == ["a"]
    with monkeypatch.context() as patch:
        patch.setattr(module, "build_tokenizer", None)  # neither text
        patch.setattr(module, "token_stream", None)  # nor tokens are made again
        build_ladder(tmp_path / "parts", recipe, rungs)
    assert in_process == ["a", "b"]
    assert files(tmp_path / "parts") == files(built)
    assert not (tmp_path / "parts" / "work").exists()


def test_a_build_that_died_while_writing_the_stream_writes_it_again(
    tmp_path, recipe, rungs, in_process, monkeypatch, built
):
    def die(*args):
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(module, "token_stream", die)
        with pytest.raises(KilledError):
            build_ladder(tmp_path / "parts", recipe, rungs)
    (tmp_path / "parts" / "work" / "stream.partial.npy").write_bytes(b"half")
    build_ladder(tmp_path / "parts", recipe, rungs)
    assert files(tmp_path / "parts") == files(built)


@pytest.mark.parametrize("other", ["recipe", "rungs"])
def test_an_unfinished_ladder_of_another_plan_is_not_touched(
    tmp_path, recipe, rungs, in_process, other
):
    def killed(*x):
        raise KilledError

    with pytest.raises(KilledError):
        build_ladder(tmp_path, recipe, rungs, report=killed)
    before = {f: f.read_bytes() for f in tmp_path.rglob("*") if f.is_file()}
    asked = (replace(recipe, seed=1), rungs) if other == "recipe" else (recipe, rungs[:1])
    with pytest.raises(UserError, match=r"holds an unfinished ladder with other settings.*--out"):
        build_ladder(tmp_path, *asked)
    assert {f: f.read_bytes() for f in tmp_path.rglob("*") if f.is_file()} == before


def test_a_finished_ladder_of_another_plan_is_not_touched(recipe, rungs, built):
    before = files(built)
    with pytest.raises(UserError, match="--out"):
        build_ladder(built, replace(recipe, seed=1), rungs[:1])
    assert files(built) == before


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path, recipe, rungs):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"Cannot write .*file.*choose another --out"):
        build_ladder(tmp_path / "file", recipe, rungs)


def test_a_worker_that_fails_ends_the_build(tmp_path, recipe, rungs):
    work = tmp_path / "work"
    work.mkdir()
    with pytest.raises(RuntimeError, match="pretraining a ended with code 1"):
        module._run_workers(rungs[:1], recipe, tmp_path, work, 1, lambda *x: None)
