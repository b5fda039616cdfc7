"""docs/json.md has every command that prints JSON; `tests/report/test_json_commands.py` compares
the names of fields."""

import re
from dataclasses import fields, is_dataclass
from pathlib import Path

from weak2strong.cli.commands import every_command
from weak2strong.experiments import EXPERIMENTS
from weak2strong.ground.rooms import Group

PAGE = (Path(__file__).parents[2] / "docs" / "json.md").read_text()


def printing(commands, above=""):
    """The names of the commands that have `--json`."""
    for name, kind in commands.items():
        if isinstance(kind, Group):
            yield from printing(kind.commands, f"{above}{name} ")
        elif is_dataclass(kind) and "json" in {f.name for f in fields(kind)}:
            yield above + name


def test_the_page_has_every_command_that_prints_json():
    # Experiments that are not named are not imported, and all of them print JSON.
    known = {*printing(every_command([])), *EXPERIMENTS}
    assert {"run", "store why", "ladder card", "grid"} <= known
    heads = [part.partition(":")[0] for part in PAGE.split("\n\n") if re.match("`[a-z]", part)]
    told = {name for head in heads for name in re.findall("`([^`]+)`", head)}
    assert known <= told, known - told
