"""The command `w2s`: parse, call, print.

Commands are frozen dataclasses whose fields are flags. Modules are imported
when their command runs, so that `w2s --help` is quick.
"""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from codecs import lookup as codec
from collections.abc import Sequence
from contextlib import redirect_stdout, suppress
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from weak2strong.ground.table import Document


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0, 1 (our failure, or what a
    command that was asked to be strict found), 2 (bad input), 130 (Ctrl-C), or 75 where SIGTERM or
    SIGUSR1 stopped it and the same command goes on.

    Python's development mode (``PYTHONDEVMODE=1``) shows where in a plugin's calls it failed.
    """
    from weak2strong.cli.output import Output
    from weak2strong.ground.disks import refused
    from weak2strong.ground.errors import PluginError, UserError
    from weak2strong.ground.plugins import naming_plugins
    from weak2strong.ground.progress import Progress
    from weak2strong.ground.stops import Stopped, heeding

    warnings.showwarning = _show_warning
    _open_streams()
    words = sys.argv[1:] if arguments is None else arguments
    try:
        out = redirect_stdout(Output(sys.stdout))
        with heeding(ctrl_c=False), naming_plugins(), out, Progress(brief=True):
            code = _done(words)
            # What is left in the buffer may be what a closed pipe or a full disk does not take.
            sys.stdout.flush()
        return code
    except PluginError as e:
        if sys.flags.dev_mode:
            traceback.print_exc()
        _say(f"error: {e} Finished stages are kept.")
        return 2
    except UserError as e:
        # A name of the user's may have a line break, and the sentence is one line.
        _say("error: " + r"\n".join(str(e).splitlines()))
        return 2
    except BrokenPipeError:
        # Whoever reads the output has closed it, as `head` does; nobody would read more.
        return 0
    except KeyboardInterrupt as e:
        stopped = e if isinstance(e, Stopped) else Stopped()
        _say(
            f"stopped by {stopped.by}; finished stages and checkpoints are kept, the same command "
            "goes on."
        )
        return stopped.exit_code
    except Exception as e:
        if said := refused(e):
            _say(f"error: {said}")
            return 2
        traceback.print_exc()
        _say("internal error (see above); finished stages are kept.")
        return 1


def _done(words: Sequence[str]) -> int:
    """Do what a command line says, and return its exit code."""
    if list(words) == ["--version"]:
        import weak2strong

        print(f"weak2strong {weak2strong.__version__}")
        return 0
    if list(words[:1]) == ["--print-completion"]:
        from weak2strong.cli.completion import completion

        print(completion(list(words[1:]), "w2s"))
        return 0
    from weak2strong.cli.parsed import parsed
    from weak2strong.cli.paths import check_surroundings, with_paths

    check_surroundings()
    command = with_paths(parsed(words))
    return _shown(command, command())


def _open_streams() -> None:
    """Let output go nowhere that was closed before the start, as by ``>&-``, and be UTF-8.

    Files and pipes have another encoding on Windows, which lacks the lines of tables.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        elif isinstance(stream, TextIOWrapper) and codec(stream.encoding) != codec("utf-8"):
            stream.reconfigure(encoding="utf-8")


def _say(text: str) -> None:
    """Print a line to standard error, as far as that is there and takes it.

    In a terminal it is broken between words; elsewhere an error is one line.
    """
    from weak2strong.ground.lines import width_of, wrapped

    with suppress(OSError):
        lines = wrapped(text, width_of(sys.stderr)) if sys.stderr.isatty() else [text]
        print("\n".join(lines), file=sys.stderr, flush=True)


def _shown(command: Any, result: int | Document | None) -> int:
    """The exit code of a command; the document that it made, if it made one, is printed."""
    if result is None or isinstance(result, int):
        return result or 0
    from weak2strong.cli.printing import show

    name = getattr(command, "command", type(command).__name__)
    show([result], name, getattr(command, "json", False))
    return 0


def _show_warning(message: Warning | str, *where: object) -> None:
    """One line for a person, without the place in the code."""
    _say(f"warning: {message}")
