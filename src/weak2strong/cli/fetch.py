"""`w2s fetch`: models and data of the hub are brought here, so that no later command needs a
network."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from tyro.conf import FlagCreatePairsOff, Positional, arg

from weak2strong.cli.flags import changed, flags
from weak2strong.cli.lists import Plugins
from weak2strong.cli.paths import folder_named
from weak2strong.cli.printing import Printing
from weak2strong.config.data import DataOptions
from weak2strong.config.recipes import recipe_at
from weak2strong.ground.errors import UserError
from weak2strong.ground.lines import tell
from weak2strong.ground.rooms import Purpose

if TYPE_CHECKING:
    from weak2strong.config.study import StudyConfig
    from weak2strong.engine.fetch import Needs

    class PartFlags:
        """As made below."""
else:
    PartFlags = flags(DataOptions, only=("subset", "split"))

STUDY = "study.yaml"
"""The study in the folder of a run."""


@dataclass(frozen=True)
class Fetch(Printing):
    """Download what a study, a model or a task needs of the hub.

    On many clusters that is done on the login node. Sizes are told first. Files that are here
    already are not fetched again, so that a command that was stopped goes on. Afterwards everything
    runs without a network (HF_HUB_OFFLINE=1).
    """

    purpose: ClassVar[Purpose] = Purpose.DATA

    references: Positional[
        Annotated[tuple[str, ...], arg(metavar="STUDY|MODEL|TASK ...", help_behavior_hint="")]
    ] = ()
    """Studies (.yaml files or run folders), models and tasks, several at once. Where the hub has a
    model and a dataset of one name, write models/owner/name or datasets/owner/name."""
    dry_run: FlagCreatePairsOff[Annotated[bool, arg(help_behavior_hint="")]] = False
    """Fetch nothing: print what would be, and how large it is."""
    quiet: Annotated[bool, arg(help_behavior_hint="")] = False
    """Show no progress."""
    plugin: Plugins = ()
    """Python files that add tasks of your own."""
    part: PartFlags = field(default_factory=PartFlags)

    def __call__(self) -> None:
        """Print what is wanted, and fetch what is not here."""
        from weak2strong.engine.fetch import fetch_all, plan_fetch
        from weak2strong.ground.progress import Progress
        from weak2strong.report.fetch import fetch_document

        plan = plan_fetch(self._needs())
        if self.dry_run or not self.as_json:
            self.show(fetch_document(plan))
        if self.dry_run:
            return
        if self.quiet or not sys.stderr.isatty():
            from huggingface_hub.utils import disable_progress_bars

            disable_progress_bars()
        # Not as a context: the hub's library draws bars of its own.
        folders = fetch_all(plan, Progress(quiet=self.quiet))
        document = fetch_document(plan, folders)
        if self.as_json:
            return self.show(document)
        tell(*document.notes)

    def _needs(self) -> Needs:
        """All that is wanted here."""
        from weak2strong.engine.fetch import Needs
        from weak2strong.ground.plugins import load_plugins

        if not self.references:
            raise UserError("Name what to fetch: a study (.yaml), a model or a task, or several.")
        load_plugins(self.plugin)
        needs, options = Needs(), changed(DataOptions(), self.part)
        studies = {reference: _file_of(reference) for reference in self.references}
        if options != DataOptions() and all(studies.values()):
            raise UserError("A study says itself what it reads: leave --subset and --split out.")
        for reference, file in studies.items():
            if file is None:
                needs.add(reference, options)
            else:
                study = _read(file)
                needs.add_study(study, getattr(study, "further_models", ()))
        return needs


def _file_of(reference: str) -> Path | None:
    """The file of a study, where a reference names one or the folder of a run."""
    path = folder_named(reference)
    if (path / STUDY).is_file():
        return path / STUDY
    path = recipe_at(path)
    return path if path.suffix in (".yaml", ".yml") else None


def _read(file: Path) -> StudyConfig:
    """The study, or the experiment, in a file."""
    from weak2strong.config.study import StudyConfig, read_study
    from weak2strong.experiments import EXPERIMENTS

    try:
        return read_study(file)
    except UserError as e:
        for kind in map(EXPERIMENTS.get, EXPERIMENTS):
            if issubclass(kind, StudyConfig):
                try:
                    return read_study(file, kind)
                except UserError:
                    continue
        raise e
