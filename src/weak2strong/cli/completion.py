"""`w2s --print-completion SHELL`: a script with which a shell completes commands and flags."""

from __future__ import annotations

from contextlib import redirect_stdout, suppress
from io import StringIO

from weak2strong.cli.commands import every_command, union
from weak2strong.experiments import EXPERIMENTS
from weak2strong.ground.errors import UserError

FLAG = "--print-completion"

SHELLS = ("bash", "zsh", "fish")


def completion(words: list[str], program: str) -> str:
    """The script for a shell.

    Args:
        words: behind the flag: one shell.
        program: whose words are completed.

    Raises:
        UserError: for another shell, or none.
    """
    import tyro

    if len(words) != 1:
        raise UserError(f"{FLAG} takes one shell: {', '.join(SHELLS)}.")
    (shell,) = words
    if shell not in SHELLS:
        raise UserError(f"{FLAG} knows no shell {shell!r}: take one of {', '.join(SHELLS)}.")
    # All experiments are named, so that each has its flags.
    commands = union(every_command(list(EXPERIMENTS)))
    config = (tyro.conf.OmitArgPrefixes, tyro.conf.OmitSubcommandPrefixes)
    with redirect_stdout(StringIO()) as script, suppress(SystemExit):
        tyro.cli(commands, prog=program, args=["--tyro-print-completion", shell], config=config)
    return script.getvalue()
