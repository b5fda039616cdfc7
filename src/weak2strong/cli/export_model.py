"""`w2s export-model`: a trained model of a finished run as a folder, kept by the run or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from tyro.conf import Positional, arg

from weak2strong.cli.flags import changed
from weak2strong.cli.study import EngineFlags
from weak2strong.ground.lines import say, tell
from weak2strong.ground.rooms import Purpose
from weak2strong.ground.runs import LATEST_RUN

if TYPE_CHECKING:
    from weak2strong.engine.exported import Exported

Name = Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class ExportModel:
    """Write a trained model of a finished run to a folder.

    It is what `w2s run --keep-models` would have kept. Where its weights are not in the store, it
    is trained once more, as it was.
    """

    purpose: ClassVar[Purpose] = Purpose.DATA
    runs: ClassVar[tuple[str, ...]] = ("run",)

    run: Positional[Path] = LATEST_RUN
    """The run folder."""
    role: Literal["student", "ceiling", "supervisor"]
    """Whose model it is."""
    method: Name = None
    """Of a student, where the run has several methods; of a ceiling that reads texts first, the
    step by which it does."""
    seed: Annotated[int, arg(metavar="N")] = 0
    """Of the model."""
    task: Name = None
    """The task, where the run has several."""
    out: Annotated[Path, arg(metavar="FOLDER")]
    """The new folder."""
    store: Annotated[Path | None, arg(metavar="PATH", help_behavior_hint="")] = None
    """Where stages are kept; ~/.cache/weak2strong by default, or $W2S_STORE."""
    quiet: Annotated[bool, arg(help_behavior_hint="")] = False
    """Show no progress."""
    running: EngineFlags = field(default_factory=EngineFlags)

    def __call__(self) -> None:
        """Write the folder, and say whether the model answers as in the run."""
        from weak2strong.config.engine import EngineOptions
        from weak2strong.engine.exported import export_model
        from weak2strong.ground.progress import Progress

        with Progress(quiet=self.quiet) as progress:
            found = export_model(
                self.run,
                self.out,
                self.role,
                seed=self.seed,
                method=self.method,
                task=self.task,
                store=self.store,
                progress=progress,
                engine=changed(EngineOptions(), self.running),
            )
        tell(f"Written to {self.out}")
        say(_compared(found))


def _compared(found: Exported) -> str:
    """How the answers of the model are to those that the run has, in a sentence."""
    if found.same:
        return "It answers the test set as in the run."
    if found.apart is None:
        return (
            "warning: the run has answers to other test examples than the study has now, so that "
            "its data, or how they are split, must have changed since."
        )
    return (
        f"warning: its probabilities on the test set differ from those of the run by up to "
        f"{found.apart:.2g}: it was trained by other code, by other libraries, or on another "
        "device (`w2s run --explain` on the run's study.yaml says which)."
    )
