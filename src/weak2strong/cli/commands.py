"""Every subcommand by name, and the type that the parser makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Annotated, Any

from tyro.conf import subcommand

from weak2strong.cli.analyse import Analyse
from weak2strong.cli.annotators import Annotators
from weak2strong.cli.audit import Audit
from weak2strong.cli.compare import Compare
from weak2strong.cli.doctor import Doctor
from weak2strong.cli.examples import Examples
from weak2strong.cli.experiments import experiment_commands
from weak2strong.cli.export_model import ExportModel
from weak2strong.cli.fetch import Fetch
from weak2strong.cli.lists import Export, Methods, Tasks
from weak2strong.cli.models import Models
from weak2strong.cli.place import Place
from weak2strong.cli.power import Power
from weak2strong.cli.predict import Predict
from weak2strong.cli.report import Figures, Report
from weak2strong.cli.run import Run, Table
from weak2strong.cli.runs import Runs
from weak2strong.cli.store import Prune, Sizes, Why
from weak2strong.cli.store import Verify as VerifyStore
from weak2strong.cli.verify import Verify
from weak2strong.cli.watch import Watch
from weak2strong.ground.plugins import installed_commands
from weak2strong.ground.rooms import COMMANDS, Group, Purpose


def union(commands: Mapping[str, type | Group]) -> Any:
    """A type that the parser reads as one of some commands, by name."""
    kinds = []
    for name, kind in commands.items():
        if isinstance(kind, Group):
            entry = subcommand(name, description=kind.summary)
            kinds.append(Annotated[union(kind.commands), entry])
        else:
            kinds.append(Annotated[kind, subcommand(name)])
    return reduce(or_, kinds)


COMMANDS_OF_STUDIES: dict[str, type] = {
    "run": Run,
    "runs": Runs,
    "watch": Watch,
    "table": Table,
    "report": Report,
    "figures": Figures,
    "examples": Examples,
    "analyse": Analyse,
    "compare": Compare,
    "power": Power,
    "verify": Verify,
    "tasks": Tasks,
    "annotators": Annotators,
    "audit": Audit,
    "methods": Methods,
    "models": Models,
    "doctor": Doctor,
    "fetch": Fetch,
    "place": Place,
    "predict": Predict,
    "export": Export,
    "export-model": ExportModel,
}

STORE = Group(
    "Look after stored results.",
    {"sizes": Sizes, "verify": VerifyStore, "why": Why, "prune": Prune},
    Purpose.CARE,
)


def every_command(arguments: Sequence[str] | None = None) -> dict[str, type | Group]:
    """The commands of `w2s` by name: of studies, of rooms and installed packages, of the store.

    A package cannot take the place of a command of ours.

    Args:
        arguments: of the command line, which say what has to be imported.
    """
    ours = {name: COMMANDS.get(name) for name in COMMANDS}
    ours = {**COMMANDS_OF_STUDIES, **experiment_commands(arguments), **ours, "store": STORE}
    return ours | {n: kind for n, kind in installed_commands().items() if n not in ours}
