"""What Windows lacks, or does otherwise, is asked for before it is used. Nothing here runs on it:
the source is walked, and what is missing there is taken away."""

import ast
import ctypes
import io
import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import weak2strong
from weak2strong import cli
from weak2strong.engine import claim, parallel
from weak2strong.engine.kept import Cell
from weak2strong.ground import elsewhere
from weak2strong.ground.processes import held_back, let_in
from weak2strong.ground.stops import Stops

ROOT = Path(weak2strong.__file__).parent

LACKING_OF = {
    "os": (
        "fork forkpty sched_getaffinity sched_setaffinity sysconf statvfs getuid geteuid getgid "
        "getegid getpgid getpgrp getsid setsid setpgid setuid killpg mkfifo mknod nice uname "
        "getloadavg fchmod fchown chown lchown chroot confstr pathconf wait wait3 wait4 waitid "
        "WNOHANG WIFSIGNALED WTERMSIG pipe2 posix_fadvise posix_fallocate posix_spawn sendfile "
        "pread pwrite sync syncfs openpty ttyname O_DIRECTORY O_NOFOLLOW O_CLOEXEC O_SYNC"
    ),
    "signal": (
        "SIGKILL SIGHUP SIGUSR1 SIGUSR2 SIGALRM SIGCHLD SIGCONT SIGPIPE SIGQUIT SIGSTOP SIGTSTP "
        "SIGXCPU alarm pause setitimer getitimer pthread_kill pthread_sigmask sigwait "
        "sigtimedwait SIG_BLOCK SIG_UNBLOCK SIG_SETMASK siginterrupt"
    ),
}
LACKING = {module: set(names.split()) for module, names in LACKING_OF.items()}
"""Names of two modules that Windows has, and that it does not have of them."""

NOT_THERE = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog", "select"}
"""Modules that Windows does not have; its ``select`` knows sockets alone."""


@pytest.fixture(scope="module")
def modules():
    """Syntax trees of all modules, by their paths."""
    return {p.relative_to(ROOT).as_posix(): ast.parse(p.read_bytes()) for p in ROOT.rglob("*.py")}


def functions(tree):
    """Each function that stands in no other one, and what is outside of all of them."""
    inner = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            inner += [n for n in node.body if isinstance(n, ast.FunctionDef)]
    within = {id(n) for function in inner for n in ast.walk(function)}
    yield from ([*ast.walk(function)] for function in inner)
    yield [n for n in ast.walk(tree) if id(n) not in within]


def unguarded(tree):
    """Uses of what is lacking in functions that do not ask for any of it by name first."""
    for nodes in functions(tree):
        asked = {n.value for n in nodes if isinstance(n, ast.Constant)}
        for node in nodes:
            match node:
                case ast.Attribute(value=ast.Name(id=of), attr=name) if name in LACKING.get(of, ()):
                    if not asked & LACKING[of]:
                        yield f"line {node.lineno}: {of}.{name}"
                case ast.Import(names=names) if found := NOT_THERE & {n.name for n in names}:
                    yield f"line {node.lineno}: import {' '.join(found)}"
                case ast.ImportFrom(module=of, names=names):
                    lacking = {n.name for n in names} & LACKING.get(of, set())
                    if of in NOT_THERE or lacking:
                        yield f"line {node.lineno}: from {of} import ..."


def test_what_windows_lacks_is_asked_for_before_it_is_used(modules):
    found = {path: list(unguarded(tree)) for path, tree in modules.items()}
    assert not {path: lines for path, lines in found.items() if lines}


def test_the_walk_sees_what_it_looks_for():
    bad = "import os, fcntl\nfrom signal import SIGKILL\ndef f():\n    return os.getuid()"
    assert len(list(unguarded(ast.parse(bad)))) == 3
    good = "import os\ndef f():\n    return os.getuid() if hasattr(os, 'getuid') else 0"
    assert not list(unguarded(ast.parse(good)))


def plain(node):
    """Whether a file is read or written as text whose encoding is that of the machine."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    words = {k.arg for k in node.keywords}
    if "encoding" in words:
        return False
    if name == "read_text":
        return not node.args
    if name == "write_text":
        # Such JSON is ASCII.
        (text,) = node.args
        dumped = [n for n in ast.walk(text) if isinstance(n, ast.Call)]
        kept = [n for n in dumped if any(k.arg == "ensure_ascii" for k in n.keywords)]
        return bool(kept) or "json.dumps" not in ast.unparse(text)
    if name == "open" and isinstance(node.func, ast.Name):
        mode = next((a.value for a in node.args[1:2] if isinstance(a, ast.Constant)), "r")
        return "b" not in mode
    return False


def test_text_is_utf_8_whatever_the_machine_would_take(modules):
    found = []
    for path, tree in modules.items():
        of_json = {
            id(a) for n in ast.walk(tree) if isinstance(n, ast.Call)
            and ast.unparse(n.func) in ("json.loads", "int") for a in n.args
        }  # fmt: skip
        found += [f"{path}:{n.lineno}" for n in ast.walk(tree) if plain(n) and id(n) not in of_json]
    # What `_index` gives is JSON as well, and the system's mounts have names in any bytes.
    known = {"engine/doctor/folders.py"}
    assert [place for place in found if place.partition(":")[0] not in known] == []


def test_the_memory_of_a_machine_without_sysconf(monkeypatch):
    before = elsewhere.machine_bytes()

    def tell(pointer):
        status = pointer._obj
        assert status.length == 64
        status.total = 48 * 2**30
        return 1

    kernel = SimpleNamespace(GlobalMemoryStatusEx=tell)
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    assert elsewhere.machine_bytes() == before
    monkeypatch.delattr(os, "sysconf")
    assert elsewhere.machine_bytes() == 48 * 2**30


def test_the_latest_run_is_a_junction_where_nobody_may_make_links(monkeypatch, tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    link, link_to = tmp_path / "latest", os.symlink

    def refused(*args, **kwargs):
        raise OSError(22, "A required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refused)
    with pytest.raises(OSError, match="privilege"):
        claim._point(link, "first")
    monkeypatch.setattr(claim, "junctions", lambda: link_to)
    # Where this is tried, a link is removed as a file; there, a junction as a folder.
    monkeypatch.setattr(os, "rmdir", os.unlink)
    for name in ("first", "second"):
        claim._point(link, name)
        assert link.resolve() == tmp_path / name
    assert sorted(p.name for p in tmp_path.iterdir()) == ["first", "latest", "second"]
    assert elsewhere.junctions() is None


def test_signals_that_are_not_there_are_not_asked_for(monkeypatch):
    monkeypatch.delattr(signal, "pthread_sigmask")
    with held_back([signal.SIGTERM]):
        let_in([signal.SIGTERM])
    assert parallel.KILLED == -9


def test_a_request_to_stop_wakes_whoever_waits_by_a_pipe_of_any_system():
    from multiprocessing.connection import Connection, wait

    stops = Stops()
    with parallel._waking(stops) as woken:
        assert isinstance(woken, Connection)
        assert wait([woken], 0) == []
        stops.on_ask(signal.SIGINT)
        assert wait([woken], 0) == [woken]
    stops.on_ask(signal.SIGINT)


def test_output_that_is_piped_is_utf_8(monkeypatch):
    for encoding in ("cp1252", "ascii", "utf-8", "utf8"):
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr(sys, "stdout", stream)
        cli._open_streams()
        print("─ ≤ ü", end="", flush=True)
        assert stream.buffer.getvalue().decode("utf-8") == "─ ≤ ü"


NOT_IN_NAMES = set('<>:"/\\|?*')


def test_folders_of_kept_models_have_names_that_every_system_takes():
    for method in ("probe-filter:knn,k=3+naive", "few-shot:system='a|b?*<>\"'"):
        folder = Cell("atlas-asia", "student", 0, method).folder
        assert not [name for name in folder.parts if NOT_IN_NAMES & set(name)]
