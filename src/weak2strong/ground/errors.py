"""The exceptions that a user can mend, and how to suggest a name.

Everything that a user can get wrong (a name, a path, a number, a file) raises
`UserError` with one sentence that says what was wrong, where, and what to do.
The command line prints that sentence and exits with 2. What fails at its
work because of a plugin is a sentence, too (`PluginError`), and exits with 2; any other
exception is a bug of ours and exits with 1.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Bad input: the message is one sentence meant for the user."""


class PluginError(UserError):
    """A plugin that failed at its work: the message is one sentence meant for its author."""


class DivergedError(UserError):
    """A training whose numbers are not finite any more: nothing of it is kept."""

    def __init__(self, what: str, of: str = "A training"):
        """From what was found, as a clause, and what was trained, which begins the sentence."""
        super().__init__(what, of)
        self.what, self.of = what, of

    def __str__(self) -> str:
        """The sentence."""
        return (
            f"{self.of} has diverged: {self.what}, and nothing of it is kept: choose a lower "
            "learning rate (--weak-lr, --strong-lr), or look at what it learns."
        )


class UnknownNameError(UserError):
    """A name that nothing has: no network and no file would mend it."""


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or the error's name where it has no message."""
    try:
        message = str(error).strip()
    # Whoever wrote the error can have written how it is told, too.
    except Exception:
        message = ""
    return message.splitlines()[0] if message else type(error).__name__


def unknown_name(what: str, name: str, known: Iterable[str], hint: str = "") -> UnknownNameError:
    """The error for a name that nothing is registered under, with the nearest names.

    Args:
        what: the noun, such as ``"task"``.
        name: what the user wrote.
        known: every name that would have been right.
        hint: a closing sentence, such as where to list them.
    """
    known = sorted(known)
    if not known:
        return UnknownNameError(f"Unknown {what} {name!r}: there is none yet. {hint}".rstrip())
    # Of a name with an owner, such as owner/name, people remember the end.
    ends = {k.rpartition("/")[2].lower(): k for k in known}
    end = name.rpartition("/")[2].lower()
    near = [ends[e] for e in difflib.get_close_matches(end, ends, n=3, cutoff=0.5)] or known[:8]
    verb = "did you mean" if len(near) == 1 else "the nearest are"
    stop = "?" if len(near) == 1 else "."
    return UnknownNameError(
        f"Unknown {what} {name!r}: {verb} {', '.join(near)}{stop} {hint}".rstrip()
    )
