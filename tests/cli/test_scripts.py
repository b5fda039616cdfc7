"""The command in scripts: completion by a shell, the module as a command, data alone in a pipe."""

import json
import os
import runpy
import shutil
import subprocess
import sys

import pytest

from weak2strong.cli import completion as completing
from weak2strong.cli import main
from weak2strong.cli.commands import every_command


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """The script for bash, of a few commands: all of them take seconds."""
    with pytest.MonkeyPatch.context() as patch:
        few = {n: k for n, k in every_command([]).items() if n in ("tasks", "table", "store")}
        patch.setattr(completing, "every_command", lambda _: few)
        path = tmp_path_factory.mktemp("completion") / "w2s.bash"
        path.write_text(completing.completion(["bash"], "w2s"))
    return path


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_bash_completes_commands_and_flags(script):
    asked = {"ta": {"tasks", "table"}, "table --mark": {"--markdown"}, "store ver": {"verify"}}
    lines = [f"source {script}"]
    for words in asked:
        number = len(words.split())
        lines += [f"COMP_WORDS=(w2s {words}); COMP_CWORD={number}; COMPREPLY=()", "_tyro_w2s"]
        lines.append('echo "${COMPREPLY[@]}"')
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", "\n".join(lines)],
        text=True,
        capture_output=True,
        check=True,
        env={**os.environ, "PATH": path},
    )
    assert [set(line.split()) for line in done.stdout.splitlines()] == list(asked.values())


def test_a_shell_that_is_none_is_one_sentence(capsys):
    assert main(["--print-completion", "bsh"]) == 2
    assert "knows no shell 'bsh': take one of bash, zsh, fish." in capsys.readouterr().err
    assert main(["--print-completion"]) == 2
    said = capsys.readouterr().err
    assert said == "error: --print-completion takes one shell: bash, zsh, fish.\n"


def test_the_module_is_the_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["weak2strong", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("weak2strong", run_name="__main__")
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("weak2strong ")


def test_a_pipe_gets_data_alone(tmp_path, capsys):
    file = tmp_path / "task.jsonl"
    assert main(["export", "atlas-landlocked", "--out", str(file)]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith(f"examples written to {file}\n")
    assert main(["methods", "--example", str(tmp_path / "mine.py")]) == 0
    assert capsys.readouterr().out == ""
    assert main(["methods", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["command"] == "methods"
    assert err == ""


def test_an_example_is_written_once(tmp_path, capsys):
    file = tmp_path / "mine.py"
    assert main(["methods", "--example", str(file)]) == 0
    assert main(["methods", "mine", "--plugin", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "A student learns what students before it say of the texts" in " ".join(shown.split())
    assert "rounds" in shown
    assert main(["methods", "--example", str(file)]) == 2
    assert "is there already: name a new file with --example." in capsys.readouterr().err
    assert main(["methods", "--example", str(tmp_path / "mine.txt")]) == 2
    assert "ends in .py" in capsys.readouterr().err
