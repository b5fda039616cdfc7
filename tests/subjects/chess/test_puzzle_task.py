"""A user's file of chess puzzles is a task: filtered, told and answered as asked, and counted."""

from itertools import product

import pytest

from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.engine.sizes import task_sizes
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import metric
from weak2strong.ground.predictions import texts
from weak2strong.protocol.resolve import resolved, splits_of
from weak2strong.subjects.chess.options import PuzzleOptions
from weak2strong.subjects.chess.positions import lichess_sample
from weak2strong.subjects.chess.source import GAMELESS, UNWANTED
from weak2strong.tasks.find import find_task, find_tasks
from weak2strong.tasks.kinds import true_labels
from weak2strong.tasks.splits import SPLITS, make_splits

TWO_MATES = (
    "m8,6k1/5ppp/8/8/8/8/8/RR5K b - - 0 1,g8h8 a1a8,900,75,95,30,mateIn1 backRankMate,"
    "https://lichess.org/abcdefgh/black#2,"
)


@pytest.fixture
def file(tmp_path):
    """Sixty puzzles, of which one has two solutions."""
    path = tmp_path / "puzzles.csv"
    path.write_text(lichess_sample(59)[0] + TWO_MATES + "\n")
    return path


def made(file, **options):
    return find_task(f"chess-puzzles={file}", DataOptions(puzzles=PuzzleOptions(**options)))


def two_mates(task):
    (found,) = (e for e in task.load() if e.item.id == "m8")
    return found


def test_a_puzzle_is_an_example_with_group_rating_and_all_that_mates(file):
    task = made(file)
    assert (task.name, task.kind, task.classes, len(task.load())) == (
        "chess-puzzles", "generation", (), 60,
    )  # fmt: skip
    e = two_mates(task)
    assert (e.item.group, e.difficulty, e.label, e.accepted) == ("abcdefgh", 900, "a1a8", ("b1b8",))
    assert len(e.item.text.split()) == 70
    labels = true_labels("generation", [e, e, e])
    assert metric("generation", task.metric)(texts(["a1a8", "b1b8", "a1a7"]), labels) == 2 / 3


def test_positions_and_moves_are_written_as_asked(file):
    told = two_mates(made(file, form="fen", notation="san"))
    assert told.item.text == "7k/5ppp/8/8/8/8/8/RR5K w - - 1 2"
    assert (told.label, told.accepted) == ("Ra8#", ("Rb8#",))
    assert made(file, notation="san").metric == "exact_match_cased"
    assert made(file).metric == "exact_match"


def test_what_is_left_out_is_counted(file):
    file.write_text(file.read_text() + "a row of nothing\n")
    high = sum(e.difficulty >= 1400 for e in made(file).load())
    assert 4 < high < 56
    task = made(file, minimum_rating=1400)
    assert len(task.load()) == high
    assert task.cleaning.sentences() == (
        f"{high} of 61 rows are used.",
        "Left out as malformed (line 62: 1 fields and not 10): 1.",
        f"Left out since other puzzles were asked for: {60 - high}.",
    )
    drawn = made(file, most=20)
    assert (len(drawn.load()), drawn.cleaning.by_source[UNWANTED]) == (20, 40)
    with pytest.raises(UserError, match="too few different examples \\(1\\) for the 4 splits"):
        made(file, themes=("backRankMate",))


def test_more_than_the_odd_malformed_row_is_an_error(file):
    file.write_text(file.read_text() + "a row of nothing\n" * 4)
    with pytest.raises(UserError, match=r"has 4 malformed rows of 64 \(line 62: "):
        made(file)


def test_positions_as_games_need_those(file, tmp_path):
    """Fool's mate in four ways; no other puzzle has a game."""
    rows, games = [], []
    for i, (f, e) in enumerate(product(("f3", "f4"), ("e5", "e6"))):
        pawns = {"f3": "8/5P2", "f4": "5P2/8"}[f]
        fen = f"rnbqkbnr/pppp1ppp/{'8/4p3' if e == 'e5' else '4p3/8'}/{pawns}/PPPPP1PP/RNBQKBNR"
        site = f"https://lichess.org/game000{i}"
        rows.append(f"p{i},{fen} w KQkq - 0 2,g2g4 d8h4,{600 + i},0,90,1,mateIn1,{site},")
        games.append(f'[Event "x"]\n[Site "{site}"]\n\n1. {f} {e} 2. g4 Qh4# 0-1\n\n')
    file.write_text(file.read_text() + "\n".join(rows) + "\n")
    pgn = tmp_path / "games.pgn"
    pgn.write_text("".join(games))
    task = made(file, form="pgn", notation="san", games=str(pgn))
    assert {(e.item.text, e.label) for e in task.load()} == {
        (f"1. {f} {e} 2. g4", "Qh4#") for f in ("f3", "f4") for e in ("e5", "e6")
    }
    assert (task.cleaning.kept, task.cleaning.by_source[GAMELESS]) == (4, 60)
    assert "Left out since the PGN file has no game" in task.cleaning.sentences()[1]
    with pytest.raises(UserError, match="need the games"):
        made(file, form="pgn")
    with pytest.raises(UserError, match=r"cannot be read \(No such file"):
        made(file, form="pgn", games="none.pgn")


def test_a_changed_file_is_read_again(file):
    before = made(file)
    assert made(file) is before
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:-1]))
    after = made(file)
    assert len(after.load()) == 59
    assert after.source != before.source


def test_sizes_and_easy_to_hard(file):
    config = StudyConfig(
        tasks=(f"chess-puzzles={file}",),
        train_difficulty="below:1500",
        test_difficulty="above:1500",
    )
    splits = splits_of(config, find_task(config.tasks[0], config.data))
    ratings = {s: [e.difficulty for e in splits.examples(s)] for s in SPLITS}
    assert all(max(ratings[s]) < 1500 for s in SPLITS[:3])
    assert min(ratings["test"]) > 1500
    some = find_task(config.tasks[0], DataOptions(n_train=10, n_validation=5, n_test=8))
    assert [len(make_splits(some).examples(s)) for s in SPLITS] == [10, 10, 5, 8]


def test_a_study_keeps_the_options(file):
    options = PuzzleOptions(themes=("mateIn1",), most=40, form="fen")
    config = StudyConfig(
        tasks=(f"chess-puzzles={file}",),
        weak=ModelSpec("atlas-xs"),
        strong=ModelSpec("atlas-s"),
        methods=("naive",),
        data=DataOptions(puzzles=options),
    )
    again = StudyConfig.from_yaml(resolved(config).to_yaml())
    assert again.data == config.data
    assert hash(again.data) == hash(config.data)
    (size,) = task_sizes(config, config.tasks)
    assert sum(size.examples.values()) == 40
    with pytest.raises(UserError, match=r"puzzles: Unknown setting .* 'themas'.*themes"):
        StudyConfig.from_yaml("data: {puzzles: {themas: []}}")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"most": "many"}, "most must be a whole number, not 'many'"),
        ({"themes": 3}, "themes must be a list, not 3"),
        ({"themes": ("fork", 3)}, r"themes\[1\] must be text, not 3"),
        ({"games": "games.pgn"}, "add --puzzle-form pgn"),
        ({"minimum_rating": 2, "maximum_rating": 1}, "exchange them"),
    ],
)
def test_options_that_cannot_be_are_refused(options, says):
    with pytest.raises(UserError, match=says):
        PuzzleOptions(**options)


def test_references_and_options_that_make_no_task_are_sentences(file):
    def refused(reference, says, **options):
        with pytest.raises(UserError, match=says):
            find_tasks((reference,), DataOptions(**options))

    mine = f"chess-puzzles={file}"
    refused("chess-puzzles", "needs a file of puzzles")
    refused("chess-puzzles=none.csv", r"none\.csv cannot be read")
    refused(mine, "leave --text-column out", text_column="FEN")
    refused("chess-mates", "name a file of them", puzzles=PuzzleOptions(most=9))
    refused("chess-puzles", "chess-puzzles")
    with pytest.raises(UserError, match=r"none\.csv cannot be read"):
        task_sizes(StudyConfig(), ("chess-puzzles=none.csv",))
