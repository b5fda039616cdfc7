"""Runs tests in a fork of this process, which has imported the heavy libraries but not ours.

The fork imports the mutated module through a hook, so no mutant is ever written to a file, and
what reads source from files (as keys of stages do) finds it as it is.
"""

import gc
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from covered import NOTE, Recorder

SETTINGS = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"), "1"),
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "MPLBACKEND": "agg",
}
"""For libraries that read them when they are imported: threads do not survive a fork."""

LIBRARIES = ("torch", "transformers", "polars", "sklearn", "scipy.stats", "pydantic", "numpy")

FLAGS = (
    *("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not slow and not gpu"),
    # Of plugins, whose own assertions do not matter here.
    *("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning"),
)


@dataclass(frozen=True)
class Server:
    """Forks of it run tests of one tree of files.

    Attributes:
        tree: the folder with ``src`` and ``tests``.
    """

    tree: Path

    @property
    def package(self) -> Path:
        return self.tree / "src" / "weak2strong"

    def start(self) -> None:
        """Import what every test needs; call it once."""
        os.environ.update(SETTINGS, PYTHONPATH=str(self.tree / "src"))
        sys.path.insert(0, str(self.tree / "src"))
        os.chdir(self.tree)
        self.import_also(LIBRARIES)
        # Who is asked to end takes the fork along (see `_wait`).
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))

    def import_also(self, names: Sequence[str]) -> None:
        """Import modules of libraries, so that no fork has to."""
        for name in names:
            with suppress(Exception):
                importlib.import_module(name)
        gc.collect()
        gc.freeze()

    def run(
        self,
        tests: Sequence[str],
        seconds: float,
        code: Mapping[str, CodeType],
        measured: bool = False,
    ) -> dict[str, Any]:
        """Run tests in a fork until the first fails.

        Args:
            tests: files, folders or names of tests.
            seconds: of processor time, after which it is ended; it has four times as long in all.
            code: of modules, by file, that is imported in place of what the files have.
            measured: whether that code takes note of what is run.

        Returns:
            ``outcome`` ("passed", "failed" or "timeout"), ``test`` (the first that failed), and
            what `Recorder.measured` returns.
        """
        folder = Path(tempfile.mkdtemp(prefix="mutation-"))
        begun = time.monotonic()
        child = os.fork()
        if child == 0:
            try:
                os.setsid()
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                found = self._in_fork(tests, seconds, code, measured, folder)
                (folder / "result.json").write_text(json.dumps(found))
            except BaseException:
                (folder / "error.txt").write_text(traceback.format_exc())
            os._exit(0)
        try:
            ended = _wait(child, 4 * seconds)
            result = folder / "result.json"
            if (folder / "error.txt").exists():
                raise RuntimeError((folder / "error.txt").read_text())
            found = json.loads(result.read_text()) if ended and result.exists() else {}
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        found.setdefault("outcome", "timeout")
        return found | {"seconds": round(time.monotonic() - begun, 2)}

    def _in_fork(self, tests, seconds, code, measured, folder) -> dict[str, Any]:
        limit = int(seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
        for number in (1, 2):
            os.dup2(os.open(folder / f"output{number}", os.O_CREAT | os.O_WRONLY), number)
        recorder, known = Recorder(), set(sys.modules)
        sys.meta_path.insert(0, _Finder(self.package, code, recorder))
        ended = pytest.main(["-x", *FLAGS, f"--basetemp={folder / 'tests'}", *tests], [recorder])
        found: dict[str, Any] = {"outcome": "passed" if ended == 0 else "failed"}
        if ended == pytest.ExitCode.NO_TESTS_COLLECTED:
            raise RuntimeError(f"There are no tests: {tests}")
        if ended != 0:
            found["test"] = recorder.failed or f"pytest ended with {ended}"
            found["output"] = (folder / "output1").read_text(errors="replace")[-3000:]
        if measured:
            found["tests"] = recorder.measured()
            found["imported"] = sorted(n for n in set(sys.modules) - known if _of_library(n))
        return found


def _of_library(name: str) -> bool:
    file = getattr(sys.modules[name], "__file__", None) or ""
    return "site-packages" in file or file.startswith(os.path.dirname(os.__file__))


def _wait(child: int, seconds: float) -> bool:
    """Wait for a fork; one that takes too long is ended, with all that it started."""
    ended = os.pidfd_open(child)
    try:
        readable, _, _ = select.select([ended], [], [], seconds)
        return bool(readable)
    finally:
        os.close(ended)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds some modules with other code; everything else is found as usual."""

    def __init__(self, package: Path, code: Mapping[str, CodeType], recorder: Recorder) -> None:
        self._package, self._recorder = package, recorder
        self._code = {_name(file): (file, of_file) for file, of_file in code.items()}

    def find_spec(self, fullname, path=None, target=None):
        if fullname not in self._code:
            return None
        file, code = self._code[fullname]
        path = str(self._package / file)
        loader = _Loader(fullname, path, code, self._recorder.note(file))
        return importlib.util.spec_from_file_location(fullname, path, loader=loader)


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, code: CodeType, note: Callable) -> None:
        super().__init__(name, path)
        self._code, self._note = code, note

    def get_code(self, fullname):
        return self._code

    def exec_module(self, module):
        setattr(module, NOTE, self._note)
        super().exec_module(module)


def _name(file: str) -> str:
    parts = ("weak2strong", *Path(file).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
