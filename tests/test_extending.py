"""`docs/extending.md` as a reader meets it: its files, run by its commands."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import polars as pl
import pytest

import weak2strong as w2s
from weak2strong.cli import main
from weak2strong.config.data import DataOptions
from weak2strong.engine.local import Plan
from weak2strong.ground.errors import UserError
from weak2strong.ground.plugins import load_plugins
from weak2strong.methods.method import NEEDS
from weak2strong.report.examples import Case
from weak2strong.tasks import GROUPS, SOURCES, TASKS, expand
from weak2strong.tasks.find import find_task, find_tasks

PAGE = (Path(__file__).parents[1] / "docs" / "extending.md").read_text()

SMALL = """
tasks: [atlas-landlocked]
weak: {weak}
strong: {strong}
seeds: 1
weak_training: {{steps: 4, evaluations: 1, learning_rate: 0.003}}
strong_training: {{steps: 4, evaluations: 1, learning_rate: 0.003}}
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


COMMANDS = [
    shlex.split(line.removeprefix("$ w2s "))
    for block in blocks("console")
    for line in block.splitlines()
]


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory, toy_models):
    """A folder with the page's files, and a study of toy models; blocks of one file make one."""
    folder = tmp_path_factory.mktemp("extending")
    for block in blocks("python"):
        name = block.partition("\n")[0].removeprefix("# ")
        (folder / name).parent.mkdir(exist_ok=True)
        with (folder / name).open("a") as file:
            file.write(block)
    sums = [(f"{n}+{n + 3}={2 * n + 3 + n % 2}", ("right", "wrong")[n % 2]) for n in range(80)]
    (folder / "sums.txt").write_text("".join(f"{sum}\t{verdict}\n" for sum, verdict in sums))
    study = SMALL.format(weak=toy_models["gpt2"], strong=toy_models["llama"])
    (folder / "study.yaml").write_text(study)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        # Starting processes takes longer than what they would do here.
        patch.setattr(Plan, "of", lambda *_: Plan(workers=1, threads=1))
        yield folder
    load_plugins(())


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command)[:60])
def test_the_commands_of_the_page_do_what_it_says(command, place, capsys):
    if command[0] == "run":
        out, store = place / f"run{COMMANDS.index(command)}", place / "store"
        flags = ["--out", str(out), "--store", str(store), "--quiet"]
        # Of the smallest task where the page names one of ours.
        named = ["atlas-landlocked" if w == "atlas-southern" else w for w in command[1:]]
        assert main(["run", "study.yaml", *named, *flags]) == 0
        asked = command[command.index("--methods") + 1 :]
        assert set(pl.read_parquet(out / "results.parquet")["method"]) == set(asked)
        shown = capsys.readouterr().out
        for name in asked:
            assert re.search(rf"^\S+ +{re.escape(name)} +\d\.\d", shown, flags=re.MULTILINE)
    else:
        assert main(command) == 0
        assert command[1].partition("=")[0] in capsys.readouterr().out


def test_the_example_of_the_readme_runs(place):
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    (text,) = re.findall(r"^```python\n([^`]*@w2s[^`]*)^```", readme, flags=re.MULTILINE)
    (place / "my_method.py").write_text(text)
    (command,) = re.findall(r"^\$ w2s run (--plugin .*)", readme, flags=re.MULTILINE)
    flags = ["--out", str(place / "readme"), "--store", str(place / "store"), "--quiet"]
    study = ["study.yaml", "--task", "atlas-landlocked", *flags]
    assert main(["run", *study, *shlex.split(command)]) == 0
    found = set(pl.read_parquet(place / "readme" / "results.parquet")["method"])
    assert found == {"naive", "twice", "twice:loss=kl"}


def test_the_example_is_short_and_there_is_one_of_each():
    first = next(iter(blocks("python")))
    assert len([line for line in first.splitlines() if line.strip()]) <= 32
    whats = "method loss probe metric scorer task group source picture"
    for what in whats.split():
        assert sum(f"@w2s.{what}(" in block for block in blocks("python")) >= 1
    assert "prepares=True" in "".join(blocks("python"))


def test_the_page_knows_all_that_a_context_offers_and_all_needs():
    rows = re.findall(r"^\| `(.*?)[(`](.*?)\|", PAGE, flags=re.MULTILINE)
    rows = {name for first, rest in rows for name in (first, *re.findall(r"`(\w+)`", rest))}
    offered = {name for name in vars(w2s.Context) if not name.startswith("_")}
    assert offered <= rows
    assert set(NEEDS) <= rows


def test_a_group_stands_for_its_tasks(place):
    load_plugins(["my_task.py"])
    assert expand(["arithmetic", "atlas-asia"]) == ("sums", "atlas-asia")
    assert {"arithmetic", "sums"} <= {*GROUPS, *TASKS}


def test_rows_of_a_source_are_cleaned_and_dated(place):
    load_plugins(["my_source.py"])
    task = find_task("sums-file=sums.txt", DataOptions(n_train=20))
    assert (task.name, task.classes, task.cleaning.read) == ("sums-file", ("right", "wrong"), 80)
    assert next(iter(task.load())).item.group.count("+") == 1
    assert SOURCES.get("sums-file").published == "2024-05"
    with pytest.raises(UserError, match="needs a file of sums: name it as sums-file="):
        find_task("sums-file", DataOptions())
    with pytest.raises(UserError, match=r"sums-file=sums\.txt knows its columns"):
        find_tasks(("sums-file=sums.txt",), DataOptions(text_column="sum"))


def test_a_picture_is_drawn_for_texts_that_it_can_draw(place):
    load_plugins(["my_picture.py"])
    case = Case("1", ("12 plus 30 is 42.", "A city."), None, "", "", "", ())
    (picture,) = case.pictures
    assert 'aria-label="12 and 30"' in picture


def test_an_analysis_is_printed_and_written(place, capsys):
    run, task = place / "analysed", ("--task", "atlas-landlocked", "--methods", "naive")
    flags = ("--out", str(run), "--store", str(place / "store"), "--quiet")
    assert main(["run", "study.yaml", *task, *flags]) == 0
    assert main(["analyse", str(run), "--plugin", "my_analysis.py"]) == 0
    assert "\nSureness of students on test\n" in capsys.readouterr().out
    frame = pl.read_parquet(run / "analysis" / "sureness.parquet")
    assert frame["sureness"].is_between(0.5, 1).all()
    load_plugins(())


def test_a_command_of_an_installed_package_is_one_of_ours(place):
    about = place / "my_package-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my_package\nVersion: 1.0\n")
    (toml,) = [block for block in blocks("toml") if "weak2strong.commands" in block]
    ((group, commands),) = tomllib.loads(toml)["project"]["entry-points"].items()
    lines = [f"{name} = {where}" for name, where in {**commands, "run": "nowhere:Run"}.items()]
    (about / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines]))
    code = (
        "import sys; sys.path.insert(0, '.'); from weak2strong.cli import main; main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", code, "squares", "--most", "2", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert [row["square"] for row in json.loads(done.stdout)["squares"]] == [1, 4], done.stderr
    assert "warning: the command 'run' of an installed package cannot be loaded" in done.stderr
