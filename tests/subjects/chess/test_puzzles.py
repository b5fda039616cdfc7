"""Puzzles are read as Lichess publishes them; what is wrong with a row is said and left out."""

import bz2
import gzip

import polars as pl
import pytest

from weak2strong.ground.errors import UserError
from weak2strong.subjects.chess.board import read_board, read_move
from weak2strong.subjects.chess.lines import LONGEST
from weak2strong.subjects.chess.options import PuzzleOptions
from weak2strong.subjects.chess.positions import lichess_sample
from weak2strong.subjects.chess.puzzles import game_of, read_puzzles

HEADER = "PuzzleId,FEN,Moves,Rating,RatingDeviation,Popularity,NbPlays,Themes,GameUrl,OpeningTags"
MATE = (
    "m8,6k1/5ppp/8/8/8/8/8/RR5K b - - 0 1,g8h8 a1a8,900,75,95,30,mate mateIn1 endgame,"
    "https://lichess.org/abcdefgh/black#2,Some_Opening"
)
# Black's rooks are two against one on the back rank.
LONG = (
    "l1,3r2k1/3r1ppp/8/8/8/8/5PPP/R5K1 w - - 4 30,a1e1 d7d1 e1d1 d8d1,1500,80,50,99,"
    "backRankMate long,https://lichess.org/ijklmnop#60,"
)


@pytest.fixture
def puzzles(tmp_path):
    """A function from rows, and which of them are wanted, to puzzles."""

    def read(*rows, header=HEADER, **wanted):
        file = tmp_path / "puzzles.csv"
        file.write_text("\n".join([header, *rows]) + "\n")
        return read_puzzles(file, PuzzleOptions(**wanted)).puzzles

    return read


@pytest.fixture
def found(tmp_path):
    """A function from rows to all that is found in them."""

    def read(*rows):
        file = tmp_path / "puzzles.csv"
        file.write_text("\n".join([HEADER, *rows]) + "\n")
        return read_puzzles(file)

    return read


def many(row, count):
    """Copies of a row with ids of their own."""
    id, rest = row.split(",", 1)
    return [f"{id}{i:04},{rest}" for i in range(count)]


def test_a_puzzle_begins_after_the_opponents_move(puzzles):
    long, mate = puzzles(LONG, MATE)
    assert long.fen == "3r2k1/3r1ppp/8/8/8/8/5PPP/4R1K1 b - - 5 30"
    assert long.moves == ("d7d1", "e1d1", "d8d1")
    assert (long.id, long.group, long.rating) == ("l1", "ijklmnop", 1500)
    assert long.themes == ("backRankMate", "long")
    assert long.accepted == ("d7d1",)
    assert mate.fen.startswith("7k/")


def test_every_mating_move_solves_a_mate_in_one_and_the_solution_stands_first(puzzles):
    (mate,) = puzzles(MATE)
    assert mate.accepted == ("a1a8", "b1b8")
    (other,) = puzzles(MATE.replace("a1a8", "b1b8"))
    assert other.accepted == ("b1b8", "a1a8")
    (unmarked,) = puzzles(MATE.replace("mateIn1 ", ""))
    assert unmarked.accepted == ("a1a8",)


def test_columns_may_stand_in_another_order_and_be_quoted(puzzles):
    header = '"GameUrl","Themes","Popularity","Rating","Moves","FEN","PuzzleId"'
    fields = dict(zip(HEADER.split(","), MATE.split(","), strict=True))
    row = ",".join(f'"{fields[name]}"' for name in header.replace('"', "").split(","))
    assert puzzles(row, header=header) == puzzles(MATE)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (MATE.replace(",Some", ",,Some"), "11 fields and not 10"),
        (MATE.replace(",900,", ",hard,"), "Rating 'hard' is no whole number"),
        (MATE.replace(",95,", ",,"), "Popularity '' is no whole number"),
        (MATE.replace("g8h8 a1a8", "g8h8"), "fewer than two Moves"),
        (MATE.replace("https://lichess.org/abcdefgh/black#2", "https://lichess.org"), "address"),
        (MATE.replace("m8,", ","), "no PuzzleId"),
        (MATE.replace("6k1", "8"), "one king a side"),
        (MATE.replace("g8h8", "g8e8"), "g8e8 is no legal move"),
        (MATE.replace("a1a8", "a1a9"), "a1a9"),
        (MATE.replace("a1a8", "a1a7"), "a1a7 should mate and does not"),
        (LONG.replace("e1d1", "e1f2").replace("l1,", "l2,"), "e1f2 is no legal move"),
        (LONG, "PuzzleId l1 is there twice"),
        ('"' + MATE, "fields"),
    ],
)
def test_a_malformed_row_is_left_out_and_named_by_its_line(found, wrong, says):
    good = [LONG, *many(MATE, 30)]
    some = found(*good[:3], wrong, *good[3:])
    assert (some.read, some.malformed) == (32, 1)
    (named,) = some.named
    assert named.startswith("line 5: ")
    assert says in named
    assert some.puzzles == found(*good).puzzles


def test_several_malformed_rows_are_counted_and_the_first_ones_named(found):
    rows = many(MATE, 100)
    rows[10:14] = ["x"] * 4
    some = found(*rows)
    assert (some.read, some.malformed, len(some.puzzles)) == (100, 4, 96)
    assert [name.split(":")[0] for name in some.named] == ["line 12", "line 13", "line 14"]


def test_more_than_a_twentieth_is_too_much(puzzles):
    good = many(MATE, 95)
    assert len(puzzles(*good, *["x"] * 5)) == 95
    with pytest.raises(UserError, match=r"has 6 malformed rows of 101 \(line 97: .*; \.\.\.\)"):
        puzzles(*good, *["x"] * 6)
    # Three of either sort are six, too.
    illegal = many(MATE.replace("g8h8", "g8e8").replace("m8", "i"), 3)
    with pytest.raises(UserError, match="has 6 malformed rows of 101"):
        puzzles(*good, *["x"] * 3, *illegal)


def test_wrong_moves_among_the_wanted_few_are_not_hidden_by_the_many(puzzles):
    bad = many(LONG.replace("a1e1", "a1b2"), 4)
    with pytest.raises(UserError, match="has 4 malformed rows of 4"):
        puzzles(*many(MATE, 200), *bad, minimum_rating=1000)


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({"minimum_rating": 900}, ["l1", "m8"]),
        ({"minimum_rating": 901}, ["l1"]),
        ({"maximum_rating": 1500}, ["l1", "m8"]),
        ({"maximum_rating": 1499}, ["m8"]),
        ({"themes": ("endgame", "fork")}, ["m8"]),
        ({"themes": ("long", "mateIn1")}, ["l1", "m8"]),
        ({"minimum_popularity": 95}, ["m8"]),
        ({"minimum_popularity": 96}, None),
        ({"themes": ("mat",)}, None),
    ],
)
def test_filters(puzzles, wanted, ids):
    if ids is None:
        with pytest.raises(UserError, match="no puzzle that is wanted, of 2"):
            puzzles(LONG, MATE, **wanted)
    else:
        assert [p.id for p in puzzles(LONG, MATE, **wanted)] == ids


def test_a_draw_depends_on_ids_alone(puzzles):
    rows = many(MATE, 3000)
    some = puzzles(*rows, most=40)
    assert len(some) == 40
    assert puzzles(*reversed(rows), most=40) == some
    assert set(puzzles(*rows, most=10)) < set(some)
    kept = {p.id for p in some}
    without = [r for i, r in enumerate(rows) if i % 2 or r.split(",")[0] in kept]
    assert {p.id for p in puzzles(*without, most=40)} == kept


@pytest.mark.parametrize(
    ("wanted", "says"),
    [({"minimum_rating": 2, "maximum_rating": 1}, "exchange them"), ({"most": 0}, "at least 1")],
)
def test_filters_that_cannot_be_are_refused(wanted, says):
    with pytest.raises(UserError, match=says):
        PuzzleOptions(**wanted)


def test_a_file_without_a_column_is_refused(puzzles):
    with pytest.raises(UserError, match="no column PuzzleId in its first line"):
        puzzles(LONG, header=HEADER.replace("PuzzleId,", ""))
    with pytest.raises(UserError, match="no column Themes"):
        puzzles(LONG, header=HEADER.replace("Themes", "themes"))


WITHOUT = ("RatingDeviation", "NbPlays", "OpeningTags")


def other_form(form, folder):
    """The file of both puzzles, the game's id in the form of its address, in another form."""
    rows = [dict(zip(HEADER.split(","), row.split(","), strict=True)) for row in (LONG, MATE)]
    text = "\n".join([HEADER, LONG, MATE]) + "\n"
    path = folder / ("p.csv.gz" if form == "gzip" else "p.csv.bz2" if form == "bzip2" else "p.csv")
    match form:
        case "no header":
            text = f"{LONG}\n{MATE}\n"
        case "no header and no openings":
            text = "".join(f"{row.rpartition(',')[0]}\n" for row in (LONG, MATE))
        case "numbers with a point":
            text = text.replace(",1500,", ",1500.0,").replace(",900,", ",900.0,")
        case "few columns":
            names = [name for name in HEADER.split(",") if name not in WITHOUT]
            text = "\n".join([",".join(names), *(",".join(r[n] for n in names) for r in rows)])
        case "parquet of the hub":
            table = [
                row
                | {"Rating": int(row["Rating"]), "Popularity": int(row["Popularity"])}
                | {"Themes": row["Themes"].split(), "GameId": game_of(row["GameUrl"])}
                for row in rows
            ]
            path = folder / "p.parquet"
            pl.DataFrame(table).drop("GameUrl").write_parquet(path)
            return path
    pack = {"gzip": gzip.compress, "bzip2": bz2.compress}.get(form, bytes)
    path.write_bytes(pack(text.encode()))
    return path


@pytest.mark.parametrize(
    "form",
    [
        "no header",
        "no header and no openings",
        "numbers with a point",
        "few columns",
        "parquet of the hub",
        "gzip",
        "bzip2",
    ],
)
def test_every_form_gives_the_same_puzzles(form, tmp_path, puzzles):
    expected = puzzles(LONG, MATE)
    assert read_puzzles(other_form(form, tmp_path)).puzzles == expected


def test_without_popularity_only_its_filter_is_refused(puzzles):
    header = HEADER.replace("Popularity,", "")
    rows = [row.replace(f",{n},", ",", 1) for row, n in ((LONG, "50"), (MATE, "95"))]
    assert puzzles(*rows, header=header) == puzzles(LONG, MATE)
    with pytest.raises(UserError, match=r"no column Popularity, .* leave --puzzle-minimum-pop"):
        puzzles(*rows, header=header, minimum_popularity=1)


def test_rows_of_parquet_are_named_as_rows(tmp_path):
    path = other_form("parquet of the hub", tmp_path)
    good = pl.read_parquet(path)
    rows = [good.with_columns(PuzzleId=pl.col("PuzzleId") + str(i)) for i in range(30)]
    bad = good[:1].with_columns(PuzzleId=pl.lit(""))
    pl.concat([*rows, bad]).write_parquet(path)
    assert read_puzzles(path).named == ("row 61: no PuzzleId",)


def test_a_line_without_end_fills_no_memory(tmp_path):
    path = tmp_path / "p.csv.gz"
    path.write_bytes(gzip.compress(HEADER.encode() + b"\n" + b"x" * (LONGEST + 1)))
    with pytest.raises(UserError, match=r"line 2 has more than 16,777,216 characters"):
        read_puzzles(path)


def test_a_packed_file_is_read_as_a_plain_one(tmp_path):
    import pyarrow as pa

    plain, packed = tmp_path / "p.csv", tmp_path / "p.csv.zst"
    plain.write_text("\n".join([HEADER, LONG, MATE]))
    # Two frames, as programs that pack in parallel write them.
    text = plain.read_bytes()
    frames = (text[:50], text[50:])
    packed.write_bytes(b"".join(bytes(pa.compress(f, "zstd", asbytes=True)) for f in frames))
    assert read_puzzles(packed) == read_puzzles(plain)
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"p\.csv\.zst cannot be read \("):
        read_puzzles(packed)


def test_a_file_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(UserError, match=r"cannot be read \(No such file"):
        read_puzzles(tmp_path / "none.csv")


def test_bytes_that_are_no_text_spoil_their_row_alone(tmp_path):
    file = tmp_path / "p.csv"
    rows = [HEADER, *many(MATE, 30), "\xff" + LONG.replace("a1e1", "a1\xff1")]
    file.write_bytes("\n".join(rows).encode("latin-1"))
    some = read_puzzles(file)
    assert len(some.puzzles) == 30
    assert [name.split(":")[0] for name in some.named] == ["line 32"]


@pytest.mark.parametrize(
    ("url", "game"),
    [
        ("https://lichess.org/787zsVup/black#48", "787zsVup"),
        ("https://lichess.org/787zsVup#48", "787zsVup"),
        ("https://lichess.org/787zsVup", "787zsVup"),
        ("https://lichess.org/787zsVupAbCd", "787zsVup"),
        ("https://example.org/game0012#7", "game0012"),
    ],
)
def test_the_game_of_an_address_has_neither_colour_nor_half_move(url, game):
    assert game_of(url) == game


def test_the_sample_is_read_whole(tmp_path):
    """And again, after the opponent's move, by hand."""
    text, count = lichess_sample(250)
    file = tmp_path / "sample.csv"
    file.write_text(text)
    some = read_puzzles(file)
    found = {p.id: p for p in some.puzzles}
    assert some.malformed == 0
    assert count == len(found) == 250
    for line in text.splitlines()[1:]:
        id, fen, moves, rating, *_ = line.split(",")
        first, answer = moves.split()
        puzzle = found[id]
        assert puzzle.fen == read_board(fen).after(read_move(first)).fen
        assert puzzle.accepted == (answer,)
        assert puzzle.rating == int(rating)
    assert len({p.group for p in found.values()}) == 250
