"""The four splits of a task: who learns from which examples.

Examples of one group stay in one split, and so do groups that share a text. The split of a group
depends on the seed and on names, never on the order of the rows.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from weak2strong.ground.errors import UserError
from weak2strong.ground.garbage import kept_objects
from weak2strong.ground.watched import watched
from weak2strong.tasks.kinds import stratum
from weak2strong.tasks.same import firsts, sets_of
from weak2strong.tasks.task import Example, Item, Shares, Task

SPLITS = ("weak_train", "strong_train", "validation", "test")

LEARNT = SPLITS[:3]
"""The splits that somebody learns from, or stops on."""

Stratum = Callable[[Example], int]
"""The number of an example's stratum; all splits have the strata in the same proportion (see
`tasks.kinds.stratum`)."""

CLASS = stratum("classification")


@dataclass(frozen=True)
class Splits:
    """The examples of a task by split; each tuple is sorted by id.

    The supervisor learns from ``weak_train``. It labels ``strong_train`` and ``validation`` for
    the student. Everyone is scored on ``test``.
    """

    weak_train: tuple[Example, ...]
    strong_train: tuple[Example, ...]
    validation: tuple[Example, ...]
    test: tuple[Example, ...]

    def examples(self, split: str) -> tuple[Example, ...]:
        """The labelled examples of one split."""
        return getattr(self, split)

    def items(self, split: str) -> tuple[Item, ...]:
        """One split without its labels."""
        return tuple(e.item for e in self.examples(split))


@kept_objects()
def make_splits(task: Task, seed: int = 0) -> Splits:
    """Load the examples of a task and part them, unless the task says the split of each.

    Raises:
        UserError: where an id occurs twice, a class has no example, a split would be
            empty or lack a class, or the test split would be a single group.
    """
    examples = task.load()
    if len({e.item.id for e in examples}) < len(examples):
        counts = Counter(e.item.id for e in examples)
        repeated = next(id for id, n in counts.items() if n > 1)
        raise UserError(f"Task {task.name}: id {repeated!r} occurs more than once.")
    if task.given is None:
        parts = part(examples, task.shares, seed, stratum(task.kind))
    else:
        parts = {name: [] for name in SPLITS}
        for e in sorted(examples, key=lambda e: e.item.id):
            parts[task.given[e.item.id]].append(e)
    return _checked(task, parts)


def redrawn(task: Task, splits: Splits, seed: int) -> Splits:
    """The same test, and the other examples dealt out anew, by group.

    Each of the other splits gets as many examples of every stratum as before, as nearly as groups
    allow.

    Raises:
        UserError: as in `make_splits`.
    """
    before = {e.item.id: name for name in LEARNT for e in splits.examples(name)}
    others = [e for name in LEARNT for e in splits.examples(name)]
    parts: dict[str, list[Example]] = {name: [] for name in LEARNT}
    for clusters in _strata(others, stratum(task.kind)):
        counts = Counter(before[e.item.id] for cluster in clusters for e in cluster)
        _deal(clusters, {name: counts[name] for name in LEARNT}, seed, parts)
    parts = {name: sorted(p, key=lambda e: e.item.id) for name, p in parts.items()}
    return _checked(task, parts | {"test": list(splits.test)})


def _checked(task: Task, parts: Mapping[str, Sequence[Example]]) -> Splits:
    """The parts of a task as its splits, each with every class.

    Raises:
        UserError: where one is empty or lacks a class, or the test is a single group.
    """
    for name in SPLITS:
        labels = {e.label for e in parts[name]}
        for label, title in enumerate(task.classes):
            if label not in labels:
                raise UserError(
                    f"Task {task.name}: split {name} has no example of class {title!r}; "
                    "it needs more examples."
                )
        if not parts[name]:
            raise UserError(f"Task {task.name}: split {name} is empty; it needs more examples.")
    if len({e.item.group for e in parts["test"]}) < 2:
        raise UserError(
            f"Task {task.name}: all of its test split is one group, and an interval needs two: "
            "it needs more groups."
        )
    return Splits(**{name: tuple(parts[name]) for name in SPLITS})


def part(
    examples: Sequence[Example],
    shares: Shares,
    seed: int,
    stratum_of: Stratum = CLASS,
) -> dict[str, list[Example]]:
    """Part examples by group into splits with the same strata and no common text.

    Each group counts for its most frequent stratum. The groups of a stratum are taken in an order
    that the seed draws, and each goes to the split that lacks most of its share.
    """
    parts: dict[str, list[Example]] = {name: [] for name in SPLITS}
    for clusters in _strata(examples, stratum_of):
        total = sum(map(len, clusters))
        _deal(clusters, {name: getattr(shares, name) * total for name in SPLITS}, seed, parts)
    return {name: sorted(p, key=lambda e: e.item.id) for name, p in parts.items()}


def _strata(examples: Sequence[Example], stratum_of: Stratum) -> list[list[list[Example]]]:
    """The clusters of each stratum, the lowest stratum first."""
    strata: dict[int, list[list[Example]]] = defaultdict(list)
    for cluster in _clusters(examples):
        strata[_most_frequent([*map(stratum_of, cluster)])].append(cluster)
    return [strata[label] for label in sorted(strata)]


def _most_frequent(numbers: Sequence[int]) -> int:
    """The number that occurs most often, the lowest of several."""
    if len(numbers) == 1:
        return numbers[0]
    return min(Counter(numbers).items(), key=lambda kv: (-kv[1], kv[0]))[0]


def _deal(
    clusters: Sequence[list[Example]],
    want: Mapping[str, float],
    seed: int,
    parts: Mapping[str, list[Example]],
) -> None:
    """Give each cluster, in an order that the seed draws, to the part that lacks most."""
    taken, lacking = dict.fromkeys(want, 0), dict(want)
    ordered = sorted(clusters, key=lambda c: _draw(seed, c[0].item.group))
    for cluster in watched(ordered, "making splits", len(ordered)):
        name = max(lacking, key=lacking.__getitem__)
        parts[name].extend(cluster)
        taken[name] += len(cluster)
        lacking[name] = want[name] - taken[name]


def hold_out(
    examples: Sequence[Example], share: float, seed: int
) -> tuple[list[Example], list[Example]]:
    """Set aside a share of a training set, by group, to stop training by its own ground truth.

    Returns:
        The examples to train on, and those that are set aside.
    """
    clusters = _clusters(examples)
    clusters.sort(key=lambda c: _draw(seed, "hold out", c[0].item.group))
    # At least one, as long as something is left to train on.
    count = max(round(share * len(clusters)), int(share > 0 and len(clusters) > 1))
    held = {e.item.id for c in clusters[:count] for e in c}
    return (
        [e for e in examples if e.item.id not in held],
        [e for e in examples if e.item.id in held],
    )


def balanced(examples: Sequence[Example], seed: int = 0, most: int | None = None) -> list[Example]:
    """Undersample, so that every class has as many examples as the rarest one, or ``most``."""
    by_label: dict[int, list[Example]] = defaultdict(list)
    for e in sorted(examples, key=lambda e: _draw(seed, "balance", e.item.id)):
        by_label[int(e.label)].append(e)
    least = min(map(len, by_label.values()))
    if most is not None:
        least = min(least, most)
    return [e for label in sorted(by_label) for e in by_label[label][:least]]


def digest(rows: Iterable[Item | Example]) -> str:
    """SHA-256 over ids, groups, texts, pairs and, for examples, ground truth, in order."""
    sha = hashlib.sha256()
    for row in rows:
        item = row.item if isinstance(row, Example) else row
        truth = (row.label, *row.accepted) if isinstance(row, Example) else (None,)
        more = (*item.completions, *item.dialogues, *([{"pair": item.pair}] if item.pair else []))
        sha.update(json.dumps([item.id, item.group, item.text, *truth, *more]).encode())
    return sha.hexdigest()


def normalised(text: str) -> str:
    """A text in the form in which splits are compared: case and spacing do not count."""
    folded = text.casefold()
    # Of white space only the space counts as printable, so here all words are one space apart.
    if "  " not in folded and folded.isprintable():
        return folded.strip(" ")
    return " ".join(folded.split())


def union(links: Iterable[tuple[str, str]]) -> Callable[[str], str]:
    """A function from a name to the smallest name that it is linked with.

    Names are linked directly or through other names. A name without a link is its own result.
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while (above := parent.get(name)) is not None:
            parent[name] = parent.get(above, above)
            name = above
        return name

    for first, second in links:
        a, b = root(first), root(second)
        if a != b:
            parent[max(a, b)] = min(a, b)
    return root


def _draw(seed: int, *names: str) -> bytes:
    return hashlib.sha256("\x1f".join((str(seed), *names)).encode()).digest()


def _clusters(examples: Sequence[Example]) -> list[list[Example]]:
    """The examples by group; groups that share a normalised text are one cluster."""
    texts, groups = list[str](), list[str]()
    for e in examples:
        texts += (each := e.item.texts)
        groups += [e.item.group] * len(each)
    same = sets_of(firsts(texts, normalised))
    root = union((groups[several[0]], groups[i]) for several in same for i in several[1:])
    clusters: dict[str, list[Example]] = defaultdict(list)
    ordered = sorted(examples, key=lambda e: e.item.id)
    for e in watched(ordered, "finding groups", len(ordered)):
        clusters[root(e.item.group)].append(e)
    # The name that stands first decides the draw, whatever order the rows had.
    for several in clusters.values():
        if len(several) > 1:
            several.sort(key=lambda e: (e.item.group, e.item.id))
    return list(clusters.values())
