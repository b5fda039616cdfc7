"""The mutants of a module: changes of its syntax tree, one at a time."""

import ast
import hashlib
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType

from operators import changes
from places import places

MOST, CONTEXT = 100, 40
"""Longest change that is told whole, and what is told around a longer one."""


@dataclass(frozen=True)
class Mutant:
    """One change of one module.

    Attributes:
        file: of the module, below the package.
        function: the function or class that holds the change.
        line: at which the changed node stands.
        operator: the name of the kind of change.
        change: what was there, and what is there now.
        twin: number of this change among equal ones of the function.
        statement: the line at which its statement begins.
        scope: first and last line of the function that it belongs to; None if to none.
        in_body: whether calls of the function run it, and not the import alone.
    """

    file: str
    function: str
    line: int
    operator: str
    change: str
    twin: int
    statement: int = field(compare=False)
    scope: tuple[int, int] | None = field(compare=False)
    in_body: bool = field(compare=False)

    def runs(self, statement: int) -> bool:
        """Whether who runs the statement at that line may run the change."""
        if self.in_body:
            return statement == self.statement
        first, last = self.scope or (statement, statement)
        return first <= statement <= last

    @property
    def name(self) -> str:
        """Names the mutant also when lines above it were added."""
        return f"{self.file} {self.function}: {self.change}" + f" #{self.twin}" * (self.twin > 0)


def mutants_of(package: Path, file: str) -> list[list[Mutant]]:
    """The mutants of a module, a list for each place that can be changed."""
    tree = ast.parse((package / file).read_bytes())
    twins = Counter[tuple[str, str]]()
    found = []
    for place in places(tree, file):
        of_place = []
        for operator, new in changes(place.node, place.function):
            function = ".".join(place.names) or "module"
            change = _told(place.node, new)
            twin = twins[function, change]
            twins[function, change] += 1
            within = place.node.test if isinstance(place.node, ast.If | ast.While) else place.node
            within = within if hasattr(within, "lineno") else place.statement
            scope = place.function
            of_place.append(
                Mutant(
                    file,
                    function,
                    within.lineno,
                    operator,
                    change,
                    twin,
                    place.statement.lineno,
                    (scope.lineno, scope.end_lineno) if scope is not None else None,
                    not place.at_import,
                )
            )
        if of_place:
            found.append(of_place)
    return found


def mutated(package: Path, mutant: Mutant | None, file: str) -> CodeType:
    """The code of a module with that change, or without any."""
    return compile(changed(package, mutant, file), package / file, "exec", dont_inherit=True)


def changed(package: Path, mutant: Mutant | None, file: str) -> ast.Module:
    """The syntax tree of a module with that change, or without any."""
    tree = ast.parse((package / file).read_bytes())
    if mutant is not None:
        numbers = [m.name for of_place in mutants_of(package, file) for m in of_place]
        made = ((place, new) for place in places(tree, file)
                for _, new in changes(place.node, place.function))  # fmt: skip
        for name, (place, new) in zip(numbers, made, strict=True):
            if name == mutant.name:
                place.replace(new)
                break
        else:
            raise KeyError(mutant.name)
    return ast.fix_missing_locations(tree)


def sample(package: Path, files: Sequence[str], count: int, seed: int) -> list[Mutant]:
    """Mutants of distinct places: of each module as large a share as it has of all places.

    Which ones is decided by hashes, so that an edit of one module leaves the sample of others.
    """
    by_file = {file: mutants_of(package, file) for file in files}
    total = sum(map(len, by_file.values()))
    count = min(count, total)
    shares = {file: count * len(places) / total for file, places in by_file.items()}
    sizes = {file: int(share) for file, share in shares.items()}
    behind = sorted(files, key=lambda file: sizes[file] - shares[file])
    for file in behind[: count - sum(sizes.values())]:
        sizes[file] += 1

    def draw(mutant: Mutant) -> bytes:
        return hashlib.sha256(f"{seed} {mutant.name}".encode()).digest()

    found = [
        min(of_place, key=draw)
        for file in files
        for of_place in sorted(by_file[file], key=lambda of_place: draw(of_place[0]))[: sizes[file]]
    ]
    random.Random(seed).shuffle(found)
    return found


def _told(before: ast.AST, after: ast.AST | None) -> str:
    """What was there, and what is there now; of long ones the part that differs."""
    if isinstance(before, ast.If | ast.While):
        before, after = before.test, after.test
    old, new = (" ".join(ast.unparse(x).split()) if x else "" for x in (before, after))
    if len(old) > MOST:
        start = _alike(old, new)
        end = _alike(old[start:][::-1], new[start:][::-1])
        start, end = max(0, start - CONTEXT), max(0, end - CONTEXT)
        old, new = (f"{'…' * (start > 0)}{x[start : len(x) - end]}" for x in (old, new))
        old, new = (x if len(x) <= 2 * MOST else f"{x[:MOST]}…" for x in (old, new))
    return f"{old} -> {new}"


def _alike(a: str, b: str) -> int:
    """How many characters both begin with."""
    return next(
        (i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b))
    )
