"""A mutation run: small changes of the code that decides numbers and keys, one at a time.

Each mutant is a change that some test should notice. `make mutants` draws a sample with a seed,
runs the nearest tests on each mutant, and lists those that no test noticed, but for those that
``explained.yaml`` tells to be no fault of the tests. A second call goes on where the first was.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from covered import Coverage, instrumented  # noqa: E402
from mutants import Mutant, mutants_of, mutated, sample  # noqa: E402
from nearest import nearest, targets  # noqa: E402
from results import Results, reasons, report  # noqa: E402
from server import Server  # noqa: E402

# Ours have common names, which no library shall find.
sys.path.remove(str(HERE))

EXPLAINED = HERE / "explained.yaml"
"""Survivors that are no fault of the tests."""

SLACK = 15.0
"""Seconds of processor time that the tests of a mutant may take, and three times as long as they
usually take besides."""


def main() -> int:
    """Run what is left of a sample, then print the report."""
    flags = _flags()
    results = Results(flags.out)
    package = flags.tree / "src" / "weak2strong"
    files = [f for f in targets(package) if not flags.only or f.startswith(tuple(flags.only))]
    chosen = sample(package, files, flags.mutants, flags.seed)
    if flags.survivors:
        every = {m.name: m for f in files for of_place in mutants_of(package, f) for m in of_place}
        told = reasons(EXPLAINED)
        chosen = [every[n] for n in results.survivors() if n in every and n not in told]
    left = chosen if flags.survivors else [m for m in chosen if m.name not in results.last]
    if left and not flags.report:
        _run(flags, left, results)
    print(report(results, chosen, EXPLAINED))
    return 0


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser("make mutants", description=__doc__)
    add = parser.add_argument
    add("--mutants", type=int, default=500, help="how many (500)")
    add("--seed", type=int, default=0, help="which ones (0)")
    add("--only", nargs="*", default=[], help="of modules whose paths begin so, such as losses/")
    add("--out", type=Path, default=Path("build/mutants.jsonl"), help="a line for each mutant run")
    add(
        "--budget", type=float, default=20, help="seconds of tests for each, the soonest first (20)"
    )
    add(
        "--survivors",
        action="store_true",
        help="run those again that no test noticed, and that are not explained",
    )
    add("--report", action="store_true", help="run nothing")
    add("--tree", type=Path, default=HERE.parents[1], help="the code and tests of another folder")
    flags = parser.parse_args()
    flags.out, flags.tree = flags.out.absolute(), flags.tree.absolute()
    return flags


def _run(flags: argparse.Namespace, mutants: list[Mutant], results: Results) -> None:
    """Run the tests of each mutant, and write what they said."""
    server = Server(flags.tree)
    server.start()
    files = sorted({mutant.file for mutant in mutants})
    coverage = _coverage(server, sorted({f for file in files for f in nearest(file)}), flags.out)
    unchanged, begun = set[str](), time.monotonic()
    for n, mutant in enumerate(mutants):
        tests = coverage.chosen(mutant, nearest(mutant.file), flags.budget)
        seconds = SLACK + 3 * coverage.seconds(tests)
        found: dict[str, Any] = {"outcome": "passed", "test": None, "seconds": 0.0}
        while tests:
            code = mutated(server.package, mutant, mutant.file)
            found = server.run(tests, seconds, {mutant.file: code})
            failed = (found.get("test") or "").split("::")[0]
            own = [name for name in tests if failed and name.startswith(failed)]
            if not own or failed in unchanged:
                break
            # By themselves and without a change they must pass: else this is no kill.
            same = {mutant.file: mutated(server.package, None, mutant.file)}
            if server.run(own, seconds, same)["outcome"] == "passed":
                unchanged.add(failed)
                break
            print(f"left out, since it does not pass by itself: {failed}", flush=True)
            coverage.leave_out(failed)
            tests = [name for name in tests if name not in own]
        results.add(mutant, found, len(tests))
        spent = time.monotonic() - begun
        still = spent / (n + 1) * (len(mutants) - n - 1)
        print(
            f"{n + 1}/{len(mutants)}, {still / 60:.0f} min left: {found['outcome']} "
            f"({len(tests)} tests, {found['seconds']:.1f} s) {mutant.file}:{mutant.line} "
            f"{mutant.change}",
            flush=True,
        )


def _coverage(server: Server, folders: list[str], out: Path) -> Coverage:
    """What the tests of some folders run; kept beside the results while no file changes."""
    code = {file: instrumented(server.package, file) for file in targets(server.package)}
    kept = out.with_suffix(".coverage")
    kept.mkdir(parents=True, exist_ok=True)
    coverage = Coverage()
    for folder in folders:
        if folder.startswith(tuple(f"{other}/" for other in folders)):
            continue
        path = kept / f"{_digest(server.tree, folder)}.json"
        if not path.exists():
            print(f"measuring what {folder} runs", flush=True)
            found = server.run([folder], 3000, code, measured=True)
            _must_pass(found, folder)
            path.write_text(json.dumps({k: found[k] for k in ("tests", "imported")}))
        found = json.loads(path.read_text())
        coverage.tests |= found["tests"]
        server.import_also(found["imported"])
    return coverage


def _must_pass(found: dict[str, Any], what: str) -> None:
    if found["outcome"] != "passed":
        sys.exit(
            f"Without any change, the tests of {what} do not pass ({found['outcome']}): "
            f"{found.get('test')}\n{found.get('output', '')}"
        )


def _digest(tree: Path, folder: str) -> str:
    """Of the mutated modules, whose lines are noted, and of the tests of a folder."""
    sha, package = hashlib.sha256(folder.encode()), tree / "src" / "weak2strong"
    modules = (package / file for file in targets(package))
    for path in (*modules, *_sources(tree / folder), tree / "tests" / "conftest.py"):
        sha.update(path.read_bytes())
    return sha.hexdigest()[:20]


def _sources(path: Path) -> Iterator[Path]:
    return iter(sorted(path.rglob("*.py")) if path.is_dir() else [path])


if __name__ == "__main__":
    sys.exit(main())
