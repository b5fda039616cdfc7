"""A user's own Python files, and installed packages, that add methods, losses, probes and tasks.

A plugin is code: it is run when it is named, like any script. What it adds goes into
the registries (see `weak2strong.extend`), and a digest of its file into the keys of results.
"""

from __future__ import annotations

import hashlib
import sys
import traceback
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from weak2strong.errors import UserError, first_line

GROUP = "weak2strong.plugins"
"""The entry-point group in which packages name their plugin modules."""

_LOADED: dict[str, str] = {}
"""Files that were loaded, with the digest of what they held."""


def load_plugins(paths: Iterable[str | Path]) -> None:
    """Run plugin files; one that was run before, and has not changed, is not run again.

    Raises:
        UserError: for a file that cannot be read, or that fails.
    """
    for path in paths:
        _load(Path(path).expanduser())


def load_installed() -> None:
    """Import the plugins of installed packages, by their entry points.

    Raises:
        UserError: for one that fails.
    """
    from importlib.metadata import entry_points

    for entry in entry_points(group=GROUP):
        try:
            module = import_module(entry.module)
        except Exception as e:
            raise UserError(
                f"The plugin {entry.name} of an installed package cannot be loaded ({_where(e)}): "
                "mend or uninstall that package."
            ) from e
        file = _file(module)
        _LOADED.setdefault(file, _digest(Path(file)))


def file_of(thing: object) -> str:
    """The file in which a function or a class was written."""
    return _file(sys.modules[thing.__module__])


def digests() -> Mapping[str, str]:
    """What the loaded plugins are, for keys: their digests by the names of their files."""
    return {Path(file).name: digest for file, digest in sorted(_LOADED.items())}


def digest_of(thing: object) -> str | None:
    """The digest of the file in which a class of a plugin was written; None for our own."""
    if thing.__module__.partition(".")[0] == __name__.partition(".")[0]:
        return None
    file = file_of(thing)
    return _LOADED.get(file) or _digest(Path(file))


def everywhere(origins: Iterable[str | None]) -> bool:
    """Whether another process can load what comes from these files: they are plugins, or ours."""
    return all(origin is None or origin in _LOADED for origin in origins)


def _load(path: Path) -> None:
    path = path.absolute()
    try:
        digest = _digest(path)
    except OSError as e:
        raise UserError(f"The plugin {path} cannot be read ({e.strerror}): check --plugin.") from e
    if _LOADED.get(str(path)) == digest:
        return
    # A name of its own, so that a plugin never takes the place of another module.
    name = f"weak2strong_plugin_{path.stem}_{digest[:8]}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"The plugin {path} is no Python file: name one that ends in .py.")
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except UserError:
        raise
    except Exception as e:
        del sys.modules[name]
        raise UserError(f"The plugin {path} fails ({_where(e)}): mend it.") from e
    _LOADED[str(path)] = digest


def _where(error: Exception) -> str:
    """What went wrong, and in which line of which file."""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    line = f", line {frames[-1].lineno} of {Path(frames[-1].filename).name}" if frames else ""
    return f"{type(error).__name__}: {first_line(error)}{line}"


def _file(module: ModuleType) -> str:
    return str(getattr(module, "__file__", None) or module.__name__)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
