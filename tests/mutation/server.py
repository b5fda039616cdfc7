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
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from covered import Recorder

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
        module: tuple[str, CodeType] | None = None,
        traced: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Run tests in a fork until the first fails.

        Args:
            tests: files, folders or names of tests.
            seconds: of processor time, after which it is ended; it has four times as long in all.
            module: file and code of a module that is imported in place of the one in that file.
            traced: names by path of the files whose lines are recorded.

        Returns:
            ``outcome`` ("passed", "failed" or "timeout"), ``test`` (the first that failed), and
            what `Recorder.measured` returns where lines are recorded.
        """
        folder = Path(tempfile.mkdtemp(prefix="mutation-"))
        begun = time.monotonic()
        child = os.fork()
        if child == 0:
            try:
                os.setsid()
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                found = self._in_fork(tests, seconds, module, traced or {}, folder)
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

    def _in_fork(self, tests, seconds, module, traced, folder) -> dict[str, Any]:
        limit = int(seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
        for number in (1, 2):
            os.dup2(os.open(folder / f"output{number}", os.O_CREAT | os.O_WRONLY), number)
        if module is not None:
            sys.meta_path.insert(0, _Finder(self.package, *module))
        known = set(sys.modules)
        recorder = Recorder(traced)
        code = pytest.main(["-x", *FLAGS, f"--basetemp={folder / 'tests'}", *tests], [recorder])
        found: dict[str, Any] = {"outcome": "passed" if code == 0 else "failed"}
        if code == pytest.ExitCode.NO_TESTS_COLLECTED:
            raise RuntimeError(f"There are no tests: {tests}")
        if code != 0:
            found["test"] = recorder.failed or f"pytest ended with {code}"
            found["output"] = (folder / "output1").read_text(errors="replace")[-3000:]
        if traced:
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
    """Finds one module with other code; everything else is found as usual."""

    def __init__(self, package: Path, file: str, code: CodeType) -> None:
        parts = ("weak2strong", *Path(file).with_suffix("").parts)
        self._name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        self._path, self._code = str(package / file), code

    def find_spec(self, fullname, path=None, target=None):
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(
            fullname, self._path, loader=_Loader(fullname, self._path, self._code)
        )


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname):
        return self._code
