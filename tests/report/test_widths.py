"""What commands print in narrow and wide terminals: whole words, and no line too long."""

import pytest

from weak2strong.cli import main
from weak2strong.ground.lines import cells

WIDTHS = (50, 60, 80, 120)


@pytest.fixture
def shown(capsys, monkeypatch):
    """What a command prints on both streams where a line has so many characters."""

    def shown(line, width):
        monkeypatch.setenv("COLUMNS", str(width))
        capsys.readouterr()
        assert main(line) == 0
        out, err = capsys.readouterr()
        return out + err

    return shown


@pytest.mark.parametrize(
    "line",
    [
        "table {}",
        "analyse {}",
        "compare {}",
        "power {}",
        "verify {} --trusted 20",
        "store sizes",
        "methods",
        "methods confidence",
        "models",
        "place --weak 500M --strong 8B",
    ],
)
def test_no_line_is_too_long_and_words_are_whole(line, small_run, shown):
    from weak2strong.ground.store import Store

    Store()
    line = line.format(small_run).split()
    wide = shown(line, 1000)
    # A word that is longer than half a line may have no room in a column or a block.
    for width in WIDTHS:
        text = shown(line, width)
        # Where something was written is a word that stays whole.
        told = [row for row in text.splitlines() if not row.strip().startswith("/")]
        assert max(map(cells, told)) <= width, width
        lost = set(wide.replace(":", " ").split()) - set(text.replace(":", " ").split())
        assert [w for w in lost if set(w) != {"─"} and len(w) <= width / 3] == [], width


def test_the_table_of_a_run_as_it_is_seen(small_run, shown):
    """The same row at 80 and at 50 characters."""
    line = ["table", str(small_run)]
    wide = shown(line, 66).splitlines()
    assert wide[2].split() == ["task", "method", "floor", "student", "ceiling", "PGR", "[95%]"]
    assert wide[3] == "─" * len(wide[2])
    assert wide[4].startswith("a-task  naive ")
    assert wide[5].startswith("    probe 0.")
    block = shown(line, 50).splitlines()
    assert block[2] == "task: a-task"
    names = ["method", "floor", "student", "ceiling", "PGR", "probe", "ngrams"]
    assert [row.split()[0] for row in block[3:10]] == names
    assert len({len(row) - len(row[13:].lstrip()) for row in block[3:7]}) == 1
    assert block[10:12] == ["", "task: a-task"]
    numbers = wide[4].split()[2:5]
    assert [row.split()[-1] for row in block[4:7]] == numbers
