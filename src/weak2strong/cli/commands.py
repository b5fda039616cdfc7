"""Every subcommand in one union, for the parser."""

from __future__ import annotations

from typing import Annotated

from tyro.conf import subcommand

from weak2strong.cli.analyse import Analyse
from weak2strong.cli.audit import Audit
from weak2strong.cli.chess import Mates, Sample
from weak2strong.cli.compare import Compare
from weak2strong.cli.experiments import Grid, Overfitting, Overlap, ProbeSweep, Simulate
from weak2strong.cli.ladder import Build, Card
from weak2strong.cli.lists import Export, Methods, Tasks
from weak2strong.cli.models import Models
from weak2strong.cli.place import Place
from weak2strong.cli.power import Power
from weak2strong.cli.report import Figures, Report
from weak2strong.cli.run import Run, Table
from weak2strong.cli.store import Prune, Sizes
from weak2strong.cli.store import Verify as VerifyStore
from weak2strong.cli.verify import Verify

Chess = Annotated[Mates, subcommand("mates")] | Annotated[Sample, subcommand("sample")]
Ladder = Annotated[Build, subcommand("build")] | Annotated[Card, subcommand("card")]
Store = (
    Annotated[Sizes, subcommand("sizes")]
    | Annotated[VerifyStore, subcommand("verify")]
    | Annotated[Prune, subcommand("prune")]
)

Command = (
    Annotated[Run, subcommand("run")]
    | Annotated[Table, subcommand("table")]
    | Annotated[Report, subcommand("report")]
    | Annotated[Figures, subcommand("figures")]
    | Annotated[Compare, subcommand("compare")]
    | Annotated[Power, subcommand("power")]
    | Annotated[Analyse, subcommand("analyse")]
    | Annotated[Verify, subcommand("verify")]
    | Annotated[Overlap, subcommand("overlap")]
    | Annotated[ProbeSweep, subcommand("probe-sweep")]
    | Annotated[Simulate, subcommand("simulate")]
    | Annotated[Overfitting, subcommand("overfitting")]
    | Annotated[Grid, subcommand("grid")]
    | Annotated[Tasks, subcommand("tasks")]
    | Annotated[Audit, subcommand("audit")]
    | Annotated[Methods, subcommand("methods")]
    | Annotated[Models, subcommand("models")]
    | Annotated[Place, subcommand("place")]
    | Annotated[Export, subcommand("export")]
    | Annotated[Ladder, subcommand("ladder", description="Build or describe the ladder.")]
    | Annotated[Chess, subcommand("chess", description="Make positions and puzzles of chess.")]
    | Annotated[Store, subcommand("store", description="Look after stored results.")]
)
