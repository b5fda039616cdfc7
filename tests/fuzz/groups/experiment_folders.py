"""Folders of finished experiments, each file damaged in each way, and who reads them.

A command ends as it does for the whole folder, or in one sentence that names the folder and the
file; the experiment that is run again into its folder makes it whole, or is refused so, too.
`tests/fuzz/damages.py` prints what each command does as a table.
"""

import contextlib
import json
import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from fuzz.damage import DAMAGES, MOODS, STUDY, plain, say
from fuzz.inputs import Draw, Ended, Input, group

AGAIN = ("--store", "store", "--quiet")

EXPERIMENTS = {
    "grid": ("grid", "study.yaml", "--models", "atlas-xs", "atlas-s"),
    "simulate": ("simulate", "study.yaml", "--kinds", "random-flips"),
    "overfitting": ("overfitting", "study.yaml", "--evaluations", "2"),
    "regularise": ("regularise", "study.yaml", "--evaluations", "2"),
    "probe-sweep": ("probe-sweep", "study.yaml", "--k", "3", "--penalty", "0.1"),
    "trusted": ("trusted", "study.yaml", "--trusted", "4", "--evaluations", "2"),
}
"""The commands of experiments, with words that make them small."""

BESIDE = {
    "explain": ("study.yaml", ("explain", "made")),
    "overlap": ("study.yaml", ("overlap", "made", "--k", "3")),
    "shift": ("words.yaml", ("shift", "made")),
}
"""Commands that put their tables beside a run, and the study of the run."""

READERS = {
    "report": ("report", "{}", "--out", "page.html"),
    "figures": ("figures", "{}", "--out", "figures", "--format", "svg"),
}
"""The commands that read the folder of an experiment; ``again`` is the experiment once more."""

COMMANDS = (*READERS, "again")

EVERY = (*EXPERIMENTS, *BESIDE)

RUN = ("study.yaml", "predictions.parquet", "results.parquet", "run.json")
"""Files of a run in the folder of an experiment that are damaged, too."""

FILES = {
    "grid": ("grid.parquet", "run.json", *(f"atlas-xs-to-atlas-s/{name}" for name in RUN)),
    "simulate": ("simulated.parquet", "run.json", *(f"random-flips/{name}" for name in RUN)),
    **dict.fromkeys(("overfitting", "regularise", "probe-sweep", "trusted"), ()),
    "explain": ("explained.parquet", "correlations.parquet", "run.json", "results.parquet"),
    "overlap": ("overlap.parquet", "expansion.parquet", "run.json", "study.yaml"),
    "shift": ("shift.parquet", "shifted_tokens.parquet", "run.json", "predictions.parquet"),
}
"""The files of an experiment that holds runs; of another one all that lie in its folder."""

KINDS = tuple(name for name in DAMAGES if name not in ("no text", "a link to another"))
"""The damages; the two that are left out differ from others for runs alone."""


def prepare(folder: Path) -> None:
    """A folder for each experiment of two studies, their store, and what each command prints."""
    with contextlib.chdir(folder):
        shutil.copy(MOODS, folder)
        Path("words.jsonl").write_text("\n".join(map(json.dumps, _words())))
        found = dict[str, dict[str, str]]()
        for of, rate in {"other": 0.001, "made": 0.003}.items():
            study = STUDY.format(rate=rate).replace("seeds: 2", "seeds: 1")
            Path("study.yaml").write_text(study)
            Path("words.yaml").write_text(study.replace("moods.", "words."))
            for name, words in EXPERIMENTS.items():
                _done(*words, "--out", f"{name}/{of}", *AGAIN)
            for name, (of_run, _) in BESIDE.items():
                _done("run", of_run, "--out", "made", *AGAIN)
                _done(*words_of(name, "again"))
                shutil.move("made", f"{name}/{of}")
        for name in EVERY:
            shutil.copytree(f"{name}/made", "made")
            said = {command: say(*words_of(name, command)) for command in COMMANDS}
            # Experiments of one pair have no figures, and a refusal would tell nothing of damage.
            found[name] = {command: one.out for command, one in said.items() if one.code == 0}
            assert {"report", "again"} <= set(found[name]), (name, said)
            for made in ("made", "figures"):
                shutil.rmtree(made, ignore_errors=True)
        files = {n: list(FILES[n]) or sorted(_files(Path(n, "made"))) for n in EVERY}
        Path("whole.json").write_text(json.dumps({"out": found, "files": files}))


def _words() -> Iterator[dict[str, str]]:
    """The rows of a task that is answered in words."""
    for i, thing in product(range(40), ("bird", "house", "river")):
        yield {"prompt": f"The {thing} of number {i} is", "target": COLOURS[thing]}


COLOURS = {"bird": "red", "house": "blue", "river": "green"}


def words_of(name: str, command: str) -> tuple[str, ...]:
    """The words of a command on the folder ``made`` of an experiment."""
    if command == "again" and name in BESIDE:
        return (*BESIDE[name][1], *AGAIN)
    if command == "again":
        return (*EXPERIMENTS[name], "--out", "made", *AGAIN)
    return tuple(word.format("made") for word in READERS[command])


def _done(*words: str) -> str:
    said = say(*words)
    assert said.code == 0, (words, said.err)
    return said.out


def _files(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.is_file() and path.suffix != ".jsonl"]


def cases(prepared: Path) -> list[tuple[str, str, str, str]]:
    """Every experiment, file, damage and command."""
    whole = json.loads((prepared / "whole.json").read_text())
    files, told = whole["files"], whole["out"]
    return [
        (name, file, damage, command)
        for name in EVERY
        for file, damage, command in product(files[name], KINDS, told[name])
        if damage != "of a later version" or file == "run.json"
    ]


STEP = 641


@group("experiment-folders", share=2, prepare=prepare, slow=True)
def experiment_folders(draw: Draw) -> Input:
    """One of the cases."""
    every = cases(draw.prepared)
    name, file, damage, command = every[draw.number * STEP % len(every)]
    for of in ("made", "other"):
        shutil.copytree(draw.prepared / name / of, draw.folder / of)
    shutil.copytree(draw.prepared / "store", draw.folder / "store")
    for given in ("study.yaml", "moods.jsonl", "words.jsonl"):
        shutil.copy(draw.prepared / given, draw.folder)
    DAMAGES[damage](draw.folder / "made" / file)
    out = json.loads((draw.prepared / "whole.json").read_text())["out"][name][command]
    last = Path(file).name
    names = ("made", last if damage != "of another run" else ("made", last))
    right = _mended if command == "again" else lambda ended: _same(ended, out)
    about = f"{name}/{file}; {damage}; {command}"
    return Input(about, words_of(name, command), names, right)


def _same(ended: Ended, expected: str) -> str | None:
    """What is wrong with a command that did not need the file: that it prints something else."""
    same = plain(ended.out) == plain(expected)
    return None if same else f"it prints something else: {ended.out[:100]!r}"


def _mended(ended: Ended) -> str | None:
    """What is wrong with a folder that the experiment was run into again, as a page says."""
    said = say("report", "made", "--out", "again.html")
    return None if said.code == 0 else f"it is no whole folder after that: {said.err[:200]}"
