"""A fuzz run: inputs by a seed, each with what must happen, and counts by group.

`make fuzz` makes task files, weak labels, study files, flags, paths and more, whole ones and
damaged ones. Each must end with exit code 0 and what is right, or with exit code 2 and one sentence
that names the file, the row or the field: never with a traceback, never after more than 60 seconds
of a processor, never with nonsense. Most run in forks of a process that has imported everything,
and some as whole commands. A second call goes on where the first was stopped, as long as the source
is the same; so do the runs and models stay that inputs are copies of.
"""

import argparse
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[0] = str(HERE.parent)

from fuzz.inputs import GROUPS, load_groups, make, problem  # noqa: E402
from fuzz.warm import (  # noqa: E402
    Asked,
    called,
    digest_of,
    prepared,
    run,
    start,
    whole_command,
)


def main() -> int:
    """Run what is left of the inputs of a seed, and print the counts; 1 where one is wrong."""
    flags = _flags()
    start(flags.tree / "src")
    load_groups()
    root = Path(tempfile.mkdtemp(prefix="fuzz-"))
    try:
        if flags.show:
            return _show(flags, root)
        rows = _all(flags, root)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    print(_report(rows, flags))
    return 1 if any(row["wrong"] for row in rows) else 0


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser("make fuzz", description=__doc__)
    add = parser.add_argument
    add("--inputs", type=int, default=2400, help="how many, in forks (2400)")
    add("--commands", type=int, default=100, help="how many more, as whole commands (100)")
    add("--seed", type=int, default=0, help="which ones (0)")
    add("--only", nargs="*", default=[], metavar="GROUP", help="of some groups alone")
    add("--quick", action="store_true", help="without groups that say that they are slow")
    add("--minutes", type=float, default=10, help="after which the rest is left (10)")
    add("--places", type=int, default=os.cpu_count() or 1, help="how many at once")
    add("--show", metavar="GROUP:NUMBER", help="run one input, and print everything of it")
    add("--out", type=Path, default=Path("build/fuzz.jsonl"), help="a line for each input run")
    add("--tree", type=Path, default=HERE.parents[1], help="the code of another folder")
    flags = parser.parse_args()
    flags.out, flags.tree = flags.out.absolute(), flags.tree.absolute()
    return flags


def _all(flags: argparse.Namespace, root: Path) -> list[dict[str, Any]]:
    """What became of all inputs, those of an earlier call included."""
    begun = time.monotonic()
    until = begun + 60 * flags.minutes
    quick = [name for name, of in GROUPS.items() if not (flags.quick and of.slow)]
    names = flags.only or quick
    warm = _shared(names, flags.inputs, flags.seed)
    counts = Counter(asked.group for asked in warm)
    cold = [
        Asked(asked.group, counts[asked.group] + asked.number, asked.seed)
        for asked in _shared(names, flags.commands, flags.seed)
    ]
    code = digest_of(flags.tree)
    known = {
        (row["how"], row["group"], row["number"]): row
        for row in _read(flags.out)
        if row["code_digest"] == code and row["seed"] == flags.seed and not row["wrong"]
    }
    rows = [row for key in _keys(warm, cold) if (row := known.get(key))]
    done = {(row["how"], row["group"], row["number"]) for row in rows}
    warm = [one for one in warm if ("warm", one.group, one.number) not in done]
    cold = [one for one in cold if ("command", one.group, one.number) not in done]
    prepared(root, names, flags.tree)
    flags.out.parent.mkdir(parents=True, exist_ok=True)
    with flags.out.open("a") as file:

        def add(row: dict[str, Any]) -> None:
            rows.append(row)
            file.write(json.dumps(row | {"code_digest": code}) + "\n")
            file.flush()

        for row in run(warm, root, flags.places, until):
            add(row)
        for one in cold:
            if time.monotonic() < until:
                add(whole_command(one, root))
    return rows


def _keys(warm: Sequence[Asked], cold: Sequence[Asked]) -> list[tuple[str, str, int]]:
    found = [("warm", one.group, one.number) for one in warm]
    return found + [("command", one.group, one.number) for one in cold]


def _shared(names: Sequence[str], count: int, seed: int) -> list[Asked]:
    """So many inputs, dealt to groups by their shares, at least one each where there are enough."""
    whole = sum(GROUPS[name].share for name in names)
    found, before = list[Asked](), 0.0
    for name in names:
        after = before + GROUPS[name].share / whole * count
        found += [Asked(name, i, seed) for i in range(round(after) - round(before))]
        before = after
    return found


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _show(flags: argparse.Namespace, root: Path) -> int:
    """One input in full; what it wrote stays."""
    name, _, number = flags.show.rpartition(":")
    prepared(root, [name], flags.tree)
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{number}-"))
    work = folder / "work"
    work.mkdir()
    os.chdir(work)
    made = make(name, int(number), flags.seed, work, root / "prepared" / name)
    os.environ["W2S_STORE"] = str(folder / "store")
    print(made.about, made.words, work, sep="\n", flush=True)
    ended = called(made.words, folder)
    print(ended.out, ended.err, ended.code, sep="\n")
    print("wrong:", problem(made, ended))
    return 0


def _report(rows: Sequence[dict[str, Any]], flags: argparse.Namespace) -> str:
    """Counts by group, and what is wrong."""
    names = sorted({row["group"] for row in rows})
    lines = [f"{'group':24}{'inputs':>8}{'right':>8}{'refused':>9}{'wrong':>7}{'commands':>10}"]
    for name in (*names, None):
        of = [row for row in rows if name in (None, row["group"])]
        counts = (
            len(of),
            sum(not row["wrong"] and row["code"] == 0 for row in of),
            sum(not row["wrong"] and row["code"] != 0 for row in of),
            sum(bool(row["wrong"]) for row in of),
        )
        cold = sum(row["how"] == "command" for row in of)
        lines.append(f"{name or 'together':24}" + "{:8}{:8}{:9}{:7}".format(*counts) + f"{cold:10}")
    for row in rows:
        if row["wrong"]:
            lines.append(f"wrong: {row['group']}:{row['number']} {row['about']}: {row['wrong']}")
    spent = sum(resource.getrusage(who).ru_utime for who in (0, -1))
    longest = max((row["seconds"] for row in rows), default=0)
    left = flags.inputs + flags.commands - len(rows)
    lines.append(f"{spent:.0f} s of processors; the longest input took {longest:.1f} s")
    if left:
        lines.append(f"{left} inputs are left: call it again with the same seed to go on.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
