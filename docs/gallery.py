"""Write the gallery: run each command, draw its figures small, and write `gallery.md` around them.

`make gallery` calls it: some minutes on 2 cores. A folder that is given keeps runs and store, so
that a second call with it only draws.
"""

import io
import os
import shlex
import sys
import tempfile
import zlib
from pathlib import Path

import polars as pl
from PIL import Image

from weak2strong.cli import main as w2s
from weak2strong.ground.whole import write_whole
from weak2strong.report.figures import COMPARING_FIGURES
from weak2strong.report.figures.kind import FigureKind, with_data
from weak2strong.report.figures.style import Styles, method_styles, styled
from weak2strong.report.folders import Finished, figures_of, read_finished, runs_in

HERE = Path(__file__).parent
PICTURES = HERE / "gallery"
DPI = 110


class Drawn:
    """A part of the page.

    Args:
        title: of the part.
        figures: names of those that it is to show, with blanks between them.
        *commands: what makes them; the last one draws.
    """

    def __init__(self, title: str, figures: str, *commands: str):
        self.title, self.figures, self.commands = title, figures.split(), commands


METHODS = (
    "naive confidence:maximum=0.25 confidence probe-filter:logistic+naive linear-probe "
    "finetune-then-probe"
)

TASKS = "atlas-asia atlas-southern atlas-populous"

SMALL = "--weak atlas-xs --strong atlas-m --seeds 1"
"""Models and seeds where little is enough to show a figure."""

LARGER = "--weak atlas-s --strong atlas-l --seeds 1"
"""Where smaller models learn nothing."""

PARTS = (
    Drawn(
        "One run",
        "scores pgr pgr-by-task tasks values filters outcomes agreement reliability saliency "
        "curves",
        (f"w2s run --task {TASKS} --seeds 2 --out runs/three --methods {METHODS}"),
        "w2s figures runs/three --format png",
    ),
    Drawn(
        "What makes a task easy to elicit",
        "explained-pgr explained-gain",
        (
            f"w2s run --task {TASKS} atlas-africa atlas-english atlas-borders atlas-dense "
            "atlas-vast --seeds 2 --out runs/eight --methods naive"
        ),
        "w2s explain runs/eight",
        "w2s figures runs/eight --format png",
    ),
    Drawn(
        "Easy and hard examples",
        "difficulty",
        f"w2s run --task chess-material {LARGER} --methods naive --out runs/chess",
        "w2s figures runs/chess --format png",
    ),
    Drawn(
        "Probes at every layer",
        "sweep sweep-over-tasks",
        f"w2s probe-sweep --task {TASKS} --seeds 2 --out runs/sweep",
        "w2s figures runs/sweep --format png",
    ),
    Drawn(
        "Several runs",
        "settings",
        "w2s figures runs/three runs/eight --format png",
    ),
    Drawn(
        "Pairs of texts",
        "consistency",
        (
            f"w2s run --task atlas-claim-continent-reworded {LARGER} --methods naive "
            "consistent --out runs/pairs"
        ),
        "w2s figures runs/pairs --format png",
    ),
    Drawn(
        "Shifted tokens",
        "shift",
        f"w2s run --task atlas-generation {SMALL} --methods naive --out runs/written",
        "w2s shift runs/written",
        "w2s figures runs/written --format png",
    ),
    Drawn(
        "All through training",
        "overfitting",
        f"w2s overfitting {SMALL} --out runs/overfitting",
        "w2s figures runs/overfitting --format png",
    ),
    Drawn(
        "Every weaker model with every stronger one",
        "sizes agreement-by-size",
        ("w2s grid --models atlas-xs atlas-s atlas-m --methods naive --seeds 1 --out runs/grid"),
        "w2s figures runs/grid --format png",
    ),
    Drawn(
        "A few trusted labels",
        "trusted",
        (f"w2s trusted {SMALL} --methods naive confidence --trusted 10 30 100 --out runs/trusted"),
        "w2s figures runs/trusted --format png",
    ),
    Drawn(
        "Regularisation",
        "regularised",
        f"w2s regularise --values 0 0.1 1 {SMALL} --out runs/regularised",
        "w2s figures runs/regularised --format png",
    ),
    Drawn(
        "Simulated supervisors",
        "error-structure",
        f"w2s simulate {SMALL} --methods naive --out runs/simulated",
        "w2s figures runs/simulated --format png",
    ),
    Drawn(
        "Simulated supervisors of several accuracies",
        "dose-response",
        f"w2s simulate --accuracy 0.6 0.75 0.9 {SMALL} --methods naive --out runs/dosed",
        "w2s figures runs/dosed --format png",
    ),
)
"""The parts of the page, which together show every figure; the quickest first."""

HEAD = """# Gallery

<!-- Written by `make gallery` (docs/gallery.py): change that script and not this page. -->

Figures of `w2s figures`, each from a small run of one or two seeds with models that come with
the package. The commands above a figure make it, with its data as CSV and its caption; `--format
pdf` is for a paper. In Python `results.figure("pgr")` is the same figure, to be styled further.
"""

KEEP = "--store store --quiet"
"""What is added to commands that train: all share what they can."""


def run(command: str) -> None:
    """Run a command of the page, if it was not run in this folder before."""
    done = Path(f"done-{zlib.crc32(command.encode())}")
    if not done.exists():
        print(command, flush=True)
        more = "" if command.startswith(("w2s explain", "w2s shift")) else KEEP
        if code := w2s(shlex.split(f"{command} {more}")[1:]):
            raise SystemExit(code)
        done.touch()


def part(drawn: Drawn) -> str:
    """A part of the page."""
    lines = "\n".join(f"$ {line}" for line in drawn.commands)
    read = finished_in(drawn.commands[-1])
    every = [x for of_folder in read for x in of_folder]
    one = figures_of(every) if len(read) == 1 else with_data(COMPARING_FIGURES, runs_in(every))
    kinds = {kind.name: (kind, frame) for kind, frame in one}
    styles = method_styles([method for x in every for method in x.config.methods])
    page = [f"## {drawn.title}\n\n```console\n{lines}\n```\n"]
    return "\n".join([*page, *(section(*kinds[name], styles) for name in drawn.figures)])


def finished_in(command: str) -> list[list[Finished]]:
    """What a command `w2s figures` reads, a list a folder."""
    folders = [word for word in shlex.split(command)[2:] if word.startswith("runs/")]
    return [read_finished(Path(folder)) for folder in folders]


def section(kind: FigureKind, frame: pl.DataFrame, styles: Styles) -> str:
    """Write the picture of a figure, and return its part of the page."""
    file = io.BytesIO()
    with styled():
        figure = kind.draw(frame, styles)
        figure.savefig(file, format="png", dpi=DPI, facecolor="white")
    small = io.BytesIO()
    # A figure has few colours, and shades between them and white.
    Image.open(file).convert("RGB").quantize(192, dither=Image.Dither.NONE).save(
        small, "png", optimize=True
    )
    write_whole(PICTURES / f"{kind.name}.png", small.getvalue())
    words = kind.describe(frame)
    alt = words.title.replace("[", "(").replace("]", ")")
    return (
        f"### `{kind.name}`\n\n**{words.title}.** {words.note}\n\n"
        f"![{alt}](gallery/{kind.name}.png)\n"
    )


def main() -> None:
    """Make the page in a folder that is named, or in one that is thrown away."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as passing:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else passing).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        os.chdir(folder)
        parts = [HEAD]
        for drawn in PARTS:
            for command in drawn.commands[:-1]:
                run(command)
            parts.append(part(drawn))
            write_whole(HERE / "gallery.md", "\n".join(parts))


if __name__ == "__main__":
    main()
