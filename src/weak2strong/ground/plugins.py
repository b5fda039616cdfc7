"""A user's own Python files, and installed packages, that add methods, losses, probes and tasks.

A plugin is code: it is run when it is named, like any script. What it adds goes into
the registries (see `weak2strong.methods.decorators`), and a digest of its source into the keys of
results.
"""

from __future__ import annotations

import hashlib
import linecache
import sys
import traceback
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import is_dataclass
from functools import cache
from importlib import import_module
from inspect import cleandoc, isclass, isfunction
from os.path import abspath
from pathlib import Path
from types import ModuleType
from typing import Any

from weak2strong.ground.errors import PluginError, UserError, first_line
from weak2strong.ground.registry import forget

PACKAGE = __name__.partition(".")[0]

GROUP = "weak2strong.plugins"
"""The entry-point group in which packages name their plugin modules."""

COMMAND_GROUP = "weak2strong.commands"
"""The entry-point group in which packages name commands of their own (see `ground.rooms`)."""

# Digests of source by origin, which is the path of a file or of a package's folder.

_FILES: dict[str, str] = {}
"""Plugin files of the study at hand: each digest is that of the source that was run."""

_PACKAGES: dict[str, str] = {}
"""Installed packages with plugins."""

_OTHERS: dict[str, str] = {}
"""Scripts and modules that add something to a registry when they are run or imported."""

_USED: dict[str, str] = {}
"""Modules that add nothing to a registry, but whose functions or classes a study uses."""

_TYPED: dict[str, set[str]] = {}
"""Source texts by module, for modules without a file, such as a notebook's."""


def load_plugins(paths: Iterable[str | Path]) -> None:
    """Import the plugins of installed packages, run these files, and forget all other files.

    A file that was run before, and has not changed, is not run again. What files of
    another study added is forgotten, so that every process of a study knows the same.

    Raises:
        UserError: for a plugin that cannot be read, or that fails.
    """
    _load_installed()
    files = [Path(abspath(Path(path).expanduser())) for path in paths]
    for name in _FILES.keys() - set(map(str, files)):
        forget(name)
        del _FILES[name]
    for file in files:
        _load(file)


def origin_of(thing: Any) -> str | None:
    """Where a function or a class was written: a file, a package's folder, or a module's name.

    It is None for our own. The digest of the source is kept, as the source is now: this is called
    when the thing is registered, so the source is what was run.

    Raises:
        UserError: where the source cannot be read.
    """
    if is_ours(thing):
        return None
    origin = _origin_with_source(thing)
    if origin is None:
        _TYPED.setdefault(thing.__module__, set()).add(_typed(thing))
        return thing.__module__
    if origin not in _FILES and origin not in _PACKAGES:
        _OTHERS[origin] = _digest(Path(origin))
    return origin


def first_sentence(thing: Any) -> str:
    """The first sentence of a docstring; nothing of the signature that a dataclass has for one."""
    text = " ".join(cleandoc(thing.__doc__ or "").partition("\n\n")[0].split())
    if text.startswith(f"{thing.__name__}("):
        return ""
    return text.partition(". ")[0].rstrip(".")


def check_class(
    what: str, name: str, kind: type, attributes: Sequence[str], beginning: str
) -> None:
    """Refuse a class that is no dataclass, or that lacks an attribute of the contract."""
    if not (isinstance(kind, type) and is_dataclass(kind)):
        raise UserError(
            f"The {what} {name!r} is no dataclass, whose fields would be its settings: put "
            "@dataclass(frozen=True) between its decorator and the class."
        )
    for attribute in attributes:
        if not hasattr(kind, attribute):
            raise UserError(
                f"The {what} {name!r} has no {attribute!r}: write it, or begin with "
                f"class {kind.__name__}(w2s.{beginning})."
            )


def digest_of(thing: Any) -> str | None:
    """The digest of the source that a class or function belongs to; None for our own.

    Raises:
        UserError: where the source cannot be read.
    """
    if is_ours(thing):
        return None
    origin = _origin_with_source(thing)
    if origin is None:
        return _typed_digest(thing.__module__)
    for known in (_FILES, _PACKAGES, _OTHERS):
        if origin in known:
            return known[origin]
    # Nobody has registered this: its digest is taken once, since keys must not change in a run.
    return _USED.setdefault(origin, _digest(Path(origin)))


def is_ours(thing: Any) -> bool:
    """Whether a function or a class is of this package."""
    return thing.__module__.partition(".")[0] == PACKAGE


def sources_of(thing: Any) -> list[tuple[str, str]]:
    """The source that a function or class of a plugin belongs to: names and texts.

    Of a module without a file it is the text in which the thing was typed, after import
    statements for what the module has of ours.

    Raises:
        UserError: where the source cannot be read.
    """
    origin = _origin_with_source(thing)
    if origin is None:
        return [(f"{thing.__module__}.{thing.__qualname__}", _imports(thing) + _typed(thing))]
    path = Path(origin)
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    try:
        return [(str(file), file.read_text(encoding="utf-8")) for file in files]
    except (OSError, UnicodeDecodeError) as e:
        raise UserError(
            f"The source of {thing.__qualname__} in {origin} cannot be read ({e}): check that file."
        ) from e


def _imports(thing: Any) -> str:
    """Import statements for what the module of a thing has of ours under a name of its own."""
    lines = []
    for name, value in vars(sys.modules[thing.__module__]).items():
        if isinstance(value, ModuleType) and value.__name__.partition(".")[0] == PACKAGE:
            lines.append(f"import {value.__name__} as {name}\n")
        elif (isclass(value) or isfunction(value)) and is_ours(value):
            lines.append(f"from {value.__module__} import {value.__qualname__} as {name}\n")
    return "".join(lines)


def digest_of_all() -> str:
    """One digest of everything that can have added something, for keys."""
    files = [*_FILES.values(), *_PACKAGES.values(), *_OTHERS.values()]
    digests = sorted([*files, *map(_typed_digest, _TYPED)])
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def everywhere(origins: Iterable[str | None]) -> bool:
    """Whether another process can load what comes from these: they are plugins, or ours."""
    return all(origin is None or origin in _FILES or origin in _PACKAGES for origin in origins)


@contextmanager
def naming_plugins() -> Iterator[None]:
    """Turn an exception out of a plugin's function into one that names the plugin.

    An error in what a plugin calls counts as the plugin's, which likelier called it wrongly.

    Raises:
        PluginError: instead of the exception; a `UserError` is left as it is, and a
            `KeyboardInterrupt`, which is a request to stop.
    """
    try:
        yield
    except (UserError, KeyboardInterrupt):
        raise
    # A function can raise what is no Exception, such as SystemExit or GeneratorExit.
    except BaseException as e:
        called = [frame.f_code for frame, _ in traceback.walk_tb(e.__traceback__)]
        for code in reversed(called):
            if plugin := _plugin(code.co_filename):
                raise PluginError(
                    f"The plugin {plugin} fails in {code.co_qualname} "
                    f"({_where(e, code.co_filename)}): mend it."
                ) from e
        raise


def _plugin(file: str) -> str | None:
    """The plugin that a file belongs to."""
    if file in _FILES:
        return file
    path = Path(file)
    return next((known for known in _PACKAGES if path.is_relative_to(known)), None)


def installed_commands() -> dict[str, Any]:
    """The commands of installed packages by name; a warning in place of one that fails."""
    from importlib.metadata import entry_points

    commands = {}
    for entry in entry_points(group=COMMAND_GROUP):
        try:
            commands[entry.name] = entry.load()
        except KeyboardInterrupt:
            raise
        except BaseException as e:
            warnings.warn(
                f"the command {entry.name!r} of an installed package cannot be loaded "
                f"({_where(e)}): mend or uninstall that package",
                stacklevel=2,
            )
    return commands


@cache
def _load_installed() -> None:
    """Import the plugins of installed packages, by their entry points; once a process."""
    from importlib.metadata import entry_points

    for entry in entry_points(group=GROUP):
        try:
            module = import_module(entry.module)
        except KeyboardInterrupt:
            raise
        except BaseException as e:
            raise UserError(
                f"The plugin {entry.name!r} of an installed package cannot be loaded "
                f"({_where(e)}): mend or uninstall that package."
            ) from e
        if origin := _origin(module):
            _PACKAGES[origin] = _OTHERS.pop(origin, None) or _digest(Path(origin))


def _load(path: Path) -> None:
    if path.suffix != ".py":
        raise UserError(f"The plugin {path} is no Python file: name one that ends in .py.")
    try:
        source = path.read_bytes()
    except OSError as e:
        raise UserError(f"The plugin {path} cannot be read ({e.strerror}): check its path.") from e
    file, digest = str(path), hashlib.sha256(source).hexdigest()
    if _FILES.get(file) == digest:
        return
    forget(file)
    # The digest is known before the file is run, since what the file adds needs it. The module
    # has a name of its own, so that a plugin never replaces another module.
    _FILES[file] = digest
    module = ModuleType(f"weak2strong_plugin_{path.stem}_{digest[:8]}")
    module.__file__ = file
    sys.modules[module.__name__] = module
    try:
        # Not by an import: that may take the bytecode of an earlier state for the source.
        exec(compile(source, file, "exec", dont_inherit=True), vars(module))
    except BaseException as e:
        forget(file)
        del _FILES[file], sys.modules[module.__name__]
        if isinstance(e, KeyboardInterrupt):
            raise
        if isinstance(e, UserError):
            raise e if file in str(e) else UserError(f"In the plugin {path}: {e}") from e
        raise UserError(f"The plugin {path} fails ({_where(e, file)}): mend it.") from e


def _where(error: BaseException, file: str | None = None) -> str:
    """What went wrong, and in which line of which file: of the given file if it is involved."""
    if isinstance(error, SyntaxError):
        of = f" of {Path(error.filename).name}" if error.filename else ""
        return f"{type(error).__name__}: {error.msg}, line {error.lineno}{of}"
    frames = traceback.extract_tb(error.__traceback__)
    frames = [frame for frame in frames if frame.filename == file] or frames
    name, message = type(error).__name__, first_line(error)
    what = name if message == name else f"{name}: {message}"
    return f"{what}, line {frames[-1].lineno} of {Path(frames[-1].filename).name}"


def _origin_with_source(thing: Any) -> str | None:
    """The origin of a function or class; None where it was typed into a module without a file.

    Raises:
        UserError: where the source cannot be read.
    """
    module = sys.modules.get(thing.__module__)
    origin = _origin(module) if module else None
    if origin is None and not _typed(thing):
        raise UserError(
            f"The source of {thing.__qualname__} cannot be read, and results are kept by it: "
            "write it to a file and name that as a plugin."
        )
    return origin


def _origin(module: ModuleType) -> str | None:
    """The folder of the package that a module belongs to, or its file; None where it has none."""
    file = getattr(module, "__file__", None)
    if not file or not (file in _FILES or Path(file).is_file()):
        return None
    top = sys.modules.get((module.__package__ or "").partition(".")[0])
    begin = Path(getattr(top, "__file__", None) or "")
    return str((begin.parent if begin.name == "__init__.py" else Path(file)).absolute())


def _digest(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of all Python files below a folder."""
    if not path.is_dir():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    sha = hashlib.sha256()
    for file in sorted(path.rglob("*.py")):
        sha.update(f"{file.relative_to(path).as_posix()} {_digest(file)}\n".encode())
    return sha.hexdigest()


def _typed(thing: Any) -> str:
    """The text of the cells in which a function, or a class's functions, were typed."""
    functions = vars(thing).values() if isclass(thing) else [thing]
    cells = dict.fromkeys(f.__code__.co_filename for f in functions if isfunction(f))
    return "".join(line for cell in cells for line in linecache.getlines(cell))


def _typed_digest(name: str) -> str:
    """Of all that a module without a file holds: functions, classes and plain values.

    What was registered may use any of them.
    """
    texts = set(_TYPED.get(name, ()))
    for key, value in vars(sys.modules[name]).items() if name in sys.modules else ():
        if key.startswith("_"):
            continue
        if isinstance(value, bool | int | float | str):
            texts.add(f"{key} = {value!r}")
        elif (isclass(value) or isfunction(value)) and value.__module__ == name:
            texts.add(_typed(value))
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()
