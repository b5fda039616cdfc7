"""The commands of all experiments: flags are made of their settings; each parses, runs, prints."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, make_dataclass
from functools import cache
from importlib.util import find_spec
from inspect import cleandoc
from pathlib import Path
from typing import Any, ClassVar

from tyro.conf import Suppress

from weak2strong.cli.flags import changed, flags
from weak2strong.cli.printing import Printing
from weak2strong.cli.study import MethodFlags, Output, StudyCommand
from weak2strong.config.study import StudyConfig
from weak2strong.experiments import EXPERIMENTS
from weak2strong.ground.lines import tell
from weak2strong.ground.rooms import Purpose


@dataclass(frozen=True, kw_only=True)
class Command(Printing, Output):
    """A command that runs an experiment."""

    kind: ClassVar[Any]

    def experiment(self) -> Any:
        """The experiment that the flags describe."""
        return changed(self.kind(), self)

    def __call__(self) -> None:
        """Run the experiment, then print its tables and the paths of what was written."""
        engine = asdict(self.engine_options)
        finished = self.experiment().run(self.out, self.store, self.quiet, **engine)
        self.show(finished.document)
        written = (f"  {finished.folder / name}  {what}" for name, what in finished.FILES.items())
        tell("\nWritten to", *written)


@dataclass(frozen=True, kw_only=True)
class CommandOnStudy(Command, MethodFlags, StudyCommand):
    """A command that runs an experiment with the settings of a study."""

    def experiment(self) -> Any:
        """The experiment that the flags and the study file describe."""
        experiment: Any = self.config()
        models = experiment.named_models
        return self.config(**models) if models else experiment


def experiment_commands(arguments: Sequence[str] | None = None) -> dict[str, type]:
    """A command for each experiment, by name.

    Args:
        arguments: of the command line. Experiments that it does not name are not imported: their
            commands have a description and no flags.
    """
    named = set(sys.argv[1:] if arguments is None else arguments)
    return {
        name: command_of(EXPERIMENTS.get(name)) if name in named or not line else _described(line)
        for name, line in ((name, EXPERIMENTS.line(name)) for name in EXPERIMENTS)
    }


@cache
def command_of(kind: Any) -> type:
    """The command of an experiment: flags for its own settings, and for those of a study."""
    names = [f.name for f in fields(kind)]
    on_study = issubclass(kind, StudyConfig)
    own = flags(kind, only=[x for x in names if x in kind.__annotations__ or not on_study])
    hidden = [(name, Suppress[str | None], field(default=None)) for name in kind.without]
    base = CommandOnStudy if on_study else Command
    text = cleandoc(kind.__doc__ or "") + ("\n\nTakes the flags of w2s run." if on_study else "")
    return make_dataclass(
        kind.__name__,
        hidden,
        bases=(own, base),
        frozen=True,
        kw_only=True,
        namespace={"__doc__": text, "kind": kind, "purpose": kind.purpose},
    )


@cache
def _described(line: str) -> type:
    """A stand-in for the command of an experiment: its name and description, read from the source.

    Args:
        line: ``"module:object"``.
    """
    module, _, name = line.partition(":")
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    kind = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name)
    declared = {
        one.target.id: ast.unparse(one.value)
        for one in kind.body
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and one.value
    }
    # As it stands in the source, such as Purpose.ASK.
    which = declared.get("purpose", Purpose.EXPERIMENT.name).rpartition(".")[2]
    return make_dataclass(
        name, [], namespace={"__doc__": ast.get_docstring(kind), "purpose": Purpose[which]}
    )
