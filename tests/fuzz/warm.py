"""Runs inputs in forks of this process, which has imported the libraries once.

A fork does a batch of inputs one after another and says after each what became of it, so that one
that hangs or kills its process is known, and the rest of the batch goes on in another fork. This
process itself uses no library: their threads would not survive the fork.
"""

import contextlib
import gc
import hashlib
import importlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import IO, Any

from fuzz.inputs import GROUPS, Ended, make, problem

HERE = Path(__file__).resolve().parent

KEPT = Path("build/fuzz-prepared")
"""Where what groups need stays between calls, by the digest of the source."""

LIMIT, WAITING = 60.0, 300.0
"""Seconds of processor time and of wall time that an input has; other work may delay it."""

MEMORY = 12 * 2**30
"""Bytes of addresses that a fork may have; the libraries alone have some of them."""

BATCH = 25
"""Inputs that a fork does, unless each has a process of its own."""

SETTINGS = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"), "1"),
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "MPLBACKEND": "agg",
    "COLUMNS": "100",
}
"""For libraries that read them when they are imported, and for messages that are cut to a width."""

LIBRARIES = (
    *("torch", "transformers", "polars", "pyarrow.parquet", "pydantic", "numpy", "tyro", "yaml"),
    *("safetensors", "jinja2", "rich.progress"),
)
OURS = ("cli.commands", "tasks.find", "engine.plan", "report.contents", "report.plan")


@dataclass(frozen=True)
class Asked:
    """One input to run, by what makes it."""

    group: str
    number: int
    seed: int


@dataclass
class Fork:
    """A process that does a batch."""

    process: int
    pipe: IO[bytes]
    left: list[Asked]
    since: float = field(default_factory=time.monotonic)
    used: float = 0.0
    buffer: bytes = b""
    over: bool = False

    def spent(self) -> float:
        """Seconds of processor time since it began."""
        with contextlib.suppress(OSError):
            parts = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
            return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
        return self.used

    def hangs(self) -> bool:
        """Whether the input that it is at takes too long."""
        waited = time.monotonic() - self.since
        return waited > WAITING or (waited > LIMIT and self.spent() - self.used > LIMIT)

    def goes_on(self) -> None:
        """Note that the next input begins."""
        self.since, self.used = time.monotonic(), self.spent()


def start(source: Path) -> None:
    """Import what every input needs; call it once."""
    os.environ.update(SETTINGS, PYTHONPATH=str(source))
    sys.path.insert(0, str(source))
    for name in (*LIBRARIES, *(f"weak2strong.{module}" for module in OURS)):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def prepared(root: Path, names: Sequence[str], tree: Path | None = None) -> None:
    """Make what inputs of some groups need, each in a fork.

    Args:
        root: the folder in which inputs find it.
        names: of the groups.
        tree: the folder of the source, in whose `KEPT` it stays for later calls, as long as the
            source is the same; without it, it is made in `root`.
    """
    there = root / "prepared"
    if tree is not None:
        kept = tree / KEPT / digest_of(tree)
        kept.mkdir(parents=True, exist_ok=True)
        for old in set(kept.parent.iterdir()) - {kept}:
            shutil.rmtree(old)
        if not there.exists():
            there.symlink_to(kept, target_is_directory=True)
        there = kept  # the same path in every call, should something hold it
    for name in names:
        folder, prepare, whole = there / name, GROUPS[name].prepare, there / f"{name}.whole"
        if whole.exists():
            continue
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if prepare is None:
            continue
        child = os.fork()
        if child == 0:
            code = 1
            with contextlib.suppress(BaseException):
                try:
                    prepare(folder)
                    code = 0
                except BaseException:
                    traceback.print_exc()
            os._exit(code)
        if os.waitpid(child, 0)[1]:
            sys.exit(f"What the group {name} needs could not be made.")
        whole.touch()


def digest_of(tree: Path) -> str:
    """Of the source in a folder, and of the fuzz itself."""
    sha = hashlib.sha256()
    for path in (*sorted((tree / "src").rglob("*.py")), *sorted(HERE.rglob("*.py"))):
        sha.update(path.read_bytes())
    return sha.hexdigest()[:20]


def run(asked: Sequence[Asked], root: Path, places: int, until: float) -> Iterator[dict[str, Any]]:
    """Run inputs in forks, and yield what became of each.

    Args:
        asked: in any order.
        root: a folder for what inputs write.
        places: how many forks there are at once.
        until: the time of `time.monotonic` at which no batch is begun any more.
    """
    waiting, forks, selector = _batches(asked), dict[int, Fork](), DefaultSelector()
    try:
        while (waiting and time.monotonic() < until) or forks:
            while waiting and len(forks) < places and time.monotonic() < until:
                fork = _forked(waiting.pop(0), root)
                forks[fork.process] = fork
                selector.register(fork.pipe, EVENT_READ, fork)
            for key, _ in selector.select(timeout=1.0):
                yield from _heard(key.data)
            for fork in list(forks.values()):
                hangs = fork.hangs()
                if not hangs and not fork.over:
                    continue
                selector.unregister(fork.pipe)
                fork.pipe.close()
                del forks[fork.process]
                status = _ended(fork.process)
                if fork.left:
                    said = f"it takes more than {LIMIT:g} s" if hangs else f"it died ({status})"
                    yield _row(fork.left[0], "", said, LIMIT if hangs else 0.0)
                    if fork.left[1:]:
                        waiting.insert(0, fork.left[1:])
    finally:
        for process in forks:
            _ended(process)


def _batches(asked: Sequence[Asked]) -> list[list[Asked]]:
    """Batches in which groups are mixed, since a fork imports what each group needs once."""
    mixed = sorted((one for one in asked if not GROUPS[one.group].alone), key=lambda a: a.number)
    found = [mixed[i : i + BATCH] for i in range(0, len(mixed), BATCH)]
    return found + [[one] for one in asked if GROUPS[one.group].alone]


def _forked(batch: list[Asked], root: Path) -> Fork:
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return Fork(child, os.fdopen(reading, "rb", buffering=0), list(batch))
    try:
        os.close(reading)
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        with os.fdopen(writing, "w") as pipe:
            for asked in batch:
                row = _row(asked, *_done(asked, root))
                pipe.write(json.dumps(row) + "\n")
                pipe.flush()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def _done(asked: Asked, root: Path) -> tuple[str, str | None, float, int | None]:
    """What an input is about, what is wrong with how it ended, processor time, and exit code."""
    begun = time.process_time()
    folder = root / f"{asked.group}-{asked.number}".replace(" ", "-")
    shutil.rmtree(folder, ignore_errors=True)
    work = folder / "work"
    work.mkdir(parents=True)
    kept = dict(os.environ)
    os.environ.update(W2S_STORE=str(folder / "store"), HOME=str(folder))
    os.chdir(work)
    made, ended = None, None
    try:
        made = make(asked.group, asked.number, asked.seed, work, root / "prepared" / asked.group)
        ended = called(made.words, folder)
        wrong = problem(made, ended)
    except Exception as e:
        wrong = f"what makes or checks it failed: {traceback.format_exc()[-300:]} {e}"
    finally:
        os.chdir(root)
        os.environ.clear()
        os.environ.update(kept)
    if not wrong:
        _removed(folder)
    code = ended.code if ended else None
    return made.about if made else "", wrong, time.process_time() - begun, code


def called(words: Sequence[str], folder: Path) -> Ended:
    """How a command ends that is called in this process, with what it printed."""
    import weak2strong.cli

    sys.stdout.flush()
    sys.stderr.flush()
    handles = [os.dup(1), os.dup(2)]
    files = [folder / "out", folder / "err"]
    before = (sys.stdout, sys.stderr, warnings.showwarning)
    for number, file in enumerate(files, start=1):
        handle = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        os.dup2(handle, number)
        os.close(handle)
    sys.stdout, sys.stderr = (
        open(n, "w", closefd=False, encoding="utf-8", errors=errors)  # noqa: SIM115
        for n, errors in ((1, "strict"), (2, "backslashreplace"))
    )
    try:
        code = weak2strong.cli.main(words)
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else 0 if e.code is None else 1
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        sys.stdout, sys.stderr, warnings.showwarning = before
        for number, handle in enumerate(handles, start=1):
            os.dup2(handle, number)
            os.close(handle)
    out, err = (file.read_text(encoding="utf-8", errors="replace") for file in files)
    return Ended(code, out, err)


def whole_command(asked: Asked, root: Path) -> dict[str, Any]:
    """Run one input as a user would, in a process of its own that imports everything.

    No process can be given a word with a zero character; such an input is run in a fork.
    """
    begun, folder = _of_children(), root / f"command-{asked.group}-{asked.number}"
    shutil.rmtree(folder, ignore_errors=True)
    work = folder / "work"
    work.mkdir(parents=True)
    with contextlib.chdir(work):
        made = make(asked.group, asked.number, asked.seed, work, root / "prepared" / asked.group)
    if any("\0" in word for word in made.words):
        return next(run([asked], root, 1, time.monotonic() + WAITING))
    start = "import sys; from weak2strong.cli import main; sys.exit(main())"
    environment = os.environ | {"W2S_STORE": str(folder / "store"), "HOME": str(folder)}
    try:
        done = subprocess.run(
            [sys.executable, "-c", start, *made.words],
            capture_output=True,
            cwd=work,
            env=environment,
            timeout=WAITING,
            check=False,
        )
        out, err = (stream.decode(errors="replace") for stream in (done.stdout, done.stderr))
        # What looks at what was written looks in the working folder of the command.
        with contextlib.chdir(work):
            wrong = problem(made, Ended(done.returncode, out, err))
        code = done.returncode
    except subprocess.TimeoutExpired:
        wrong, code = f"it takes more than {WAITING:g} s", None
    spent = _of_children() - begun
    wrong = wrong or (f"it takes {spent:.0f} s" if spent > LIMIT else None)
    if not wrong:
        _removed(folder)
    return _row(asked, made.about, wrong, spent, code) | {"how": "command"}


def _of_children() -> float:
    """Seconds of processor time of processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _row(
    asked: Asked, about: str, wrong: str | None, seconds: float, code: int | None = None
) -> dict[str, Any]:
    row = {"seed": asked.seed, "group": asked.group, "number": asked.number, "how": "warm"}
    return row | {"about": about, "wrong": wrong, "code": code, "seconds": round(seconds, 2)}


def _heard(fork: Fork) -> Iterator[dict[str, Any]]:
    """What a fork said; it is over where it has said all of its batch, or its pipe is closed.

    A process that an input left behind may hold the pipe open.
    """
    said = os.read(fork.pipe.fileno(), 1 << 16)
    *lines, fork.buffer = (fork.buffer + said).split(b"\n")
    for line in lines:
        fork.left.pop(0)
        fork.goes_on()
        yield json.loads(line)
    fork.over = not said or not fork.left


def _ended(process: int) -> int:
    """Wait for a fork that has said all, or is ended now with all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _removed(folder: Path) -> None:
    """Remove a folder, also where its inputs have taken rights away."""
    for place, folders, _ in os.walk(folder):
        for name in folders:
            with contextlib.suppress(OSError):
                Path(place, name).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
