"""`w2s report`: run folders as one HTML file; `w2s figures`: their figures as files for a paper."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from tyro.conf import FlagCreatePairsOff, Positional, arg

from weak2strong.cli.lists import MetricPlugins
from weak2strong.cli.saturated import Saturated, cut
from weak2strong.cli.study import Place
from weak2strong.ground.lines import tell
from weak2strong.ground.rooms import Purpose
from weak2strong.ground.runs import LATEST_RUN


@dataclass(frozen=True)
class Report:
    """Write runs as one HTML file that needs nothing else.

    It has results, figures, examples and provenance. Takes the folders of w2s run and of every
    experiment. Of a run that is not finished, it shows how far it is.
    """

    purpose: ClassVar[Purpose] = Purpose.RUN
    runs: ClassVar[tuple[str, ...]] = ("folders",)

    folders: Positional[
        Annotated[tuple[Path, ...], arg(metavar="[FOLDER ...]", help_behavior_hint="")]
    ] = (LATEST_RUN,)
    """The folders (default: runs/latest); several runs are compared."""
    out: Place = None
    """The file (default: report.html in the first folder)."""
    saturated: Saturated = None
    open: FlagCreatePairsOff[Annotated[bool, arg(help_behavior_hint="")]] = False
    """Open it in the browser."""
    plugin: MetricPlugins = ()

    def __call__(self) -> None:
        """Write, and print where and how large."""
        from weak2strong.ground.plugins import load_plugins
        from weak2strong.report.page import write_page

        load_plugins(self.plugin)
        path = write_page(
            self.folders, self.out or self.folders[0] / "report.html", cut(self.saturated)
        )
        tell(f"Written to {path} ({path.stat().st_size / 1000:,.0f} kB)")
        if self.open:
            import webbrowser

            webbrowser.open(path.absolute().as_uri())


@dataclass(frozen=True)
class Figures:
    """Write every figure of a run, for a paper.

    Each has its data as CSV, and a caption.

    Takes the folders of w2s run and of every experiment.
    """

    purpose: ClassVar[Purpose] = Purpose.RUN
    runs: ClassVar[tuple[str, ...]] = ("folders",)

    folders: Positional[
        Annotated[tuple[Path, ...], arg(metavar="[FOLDER ...]", help_behavior_hint="")]
    ] = (LATEST_RUN,)
    """The folder (default: runs/latest); of several, the figures that compare their runs."""
    format: Annotated[str, arg(metavar="pdf,svg,png", help_behavior_hint="")] = "pdf"
    """Formats with commas between them: pdf (default), svg, png."""
    out: Place = None
    """The folder to write to (default: figures in the first folder)."""
    only: Annotated[tuple[str, ...], arg(metavar="NAME ...", help_behavior_hint="")] = ()
    """Some figures alone, by the names of their files, which the page says, too."""
    plugin: MetricPlugins = ()
    saturated: Saturated = None

    def __call__(self) -> None:
        """Write, and print what was written."""
        from weak2strong.ground.errors import UserError
        from weak2strong.ground.plugins import load_plugins
        from weak2strong.report.figures import COMPARING_FIGURES
        from weak2strong.report.figures.kind import chosen, with_data
        from weak2strong.report.figures.style import method_styles
        from weak2strong.report.folders import figures_of, read_finished, runs_in
        from weak2strong.report.pictures import export

        load_plugins(self.plugin)
        found = [x for folder in self.folders for x in read_finished(folder, cut(self.saturated))]
        styles = method_styles([method for x in found for method in x.config.methods])
        comparing = with_data(COMPARING_FIGURES, runs_in(found))
        figures = list(figures_of(found) if len(self.folders) == 1 else comparing)
        if not figures:
            raise UserError(
                "These runs have no figure in common: they differ neither in their tasks nor in "
                "the size of the student; name one of them for its own figures."
            )
        figures = chosen(figures, self.only)
        formats = [name.strip() for name in self.format.split(",") if name.strip()]
        for path in export(figures, styles, self.out or self.folders[0] / "figures", formats):
            print(path)
