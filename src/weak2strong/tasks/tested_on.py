"""Tasks that are learnt from one dataset and tested on another, such as a benchmark."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.cleaning import Cleaning, distinct, example_of, has_equal_completions
from weak2strong.tasks.duplicates import near_duplicates
from weak2strong.tasks.files import FileTask, sizes_of
from weak2strong.tasks.kinds import stratum
from weak2strong.tasks.parts import apart
from weak2strong.tasks.sizes import DEFAULT, draw
from weak2strong.tasks.splits import balanced, part
from weak2strong.tasks.task import Example, Shares


def tested_on(task: FileTask, tests: FileTask, options: DataOptions) -> FileTask:
    """A task whose ``test`` is made of other data, and the other splits of all of its own.

    What both have in common, by text (or nearly) or group, is tested on and not learnt
    from. The splits depend on names alone, not on the seed of the splits.

    Args:
        task: learnt from; its rows are cleaned anew, together with the others.
        tests: of the same kind and classes.
        options: sizes and cleaning.

    Raises:
        UserError: where the two do not go together, or a size has not enough examples.
    """
    if (task.kind, task.classes) != (tests.kind, tests.classes):
        raise UserError(
            f"{task.name} ({_form(task)}) cannot be tested on {tests.name} ({_form(tests)}): "
            "name data of the same kind and classes with --test-on."
        )
    whole: list[tuple[Example, int]] = []
    exact = contradictory = same = 0
    for place, source in enumerate((task, tests)):
        rows = [row for row in source.rows if not has_equal_completions(row)]
        once, repeats, contradictions = distinct(rows)
        whole.extend((example_of(row), place) for row in once)
        exact, contradictory = exact + repeats, contradictory + contradictions
        same += len(source.rows) - len(rows)
    texts = [e.item.content for e, _ in whole]
    families = near_duplicates(texts) if options.near_duplicates else []
    stays, parts = apart(whole, families, 2)
    if not all(parts):
        raise UserError(
            f"Nothing of {task.name} is left to learn from that {tests.name} does not have, too: "
            "name other data with --test-on."
        )
    learnt, tested = [*map(balanced, parts)] if options.balance and task.classes else parts
    splits = _sized(learnt, tested, task, tests, options)
    kept = sum(map(len, splits.values()))
    near = [n for family in families if (n := sum(stays[i] for i in family)) > 1]
    examples = sorted((e for of in splits.values() for e in of), key=lambda e: e.item.id)
    both = (task.cleaning, tests.cleaning)
    return replace(
        task,
        name=f"{task.name}-on-{tests.name}",
        source=f"{task.source}; tested on {tests.source}",
        licence=" and ".join(dict.fromkeys((task.licence, tests.licence))),
        load=lambda: examples,
        given={e.item.id: split for split, of in splits.items() for e in of},
        rows=(*task.rows, *tests.rows),
        split_of={},
        cleaning=Cleaning(
            read=sum(c.read for c in both),
            exact=exact,
            contradictory=contradictory,
            near=sum(near),
            largest=max(near, default=0),
            uneven=sum(map(len, parts)) - len(learnt) - len(tested),
            spare=len(learnt) + len(tested) - kept,
            kept=kept,
            across=len(whole) - sum(stays),
            alike=same,
            malformed=sum(c.malformed for c in both),
            named=tuple(name for c in both for name in c.named),
            by_source=dict(sum((Counter(c.by_source) for c in both), Counter())),
        ),
    )


def _form(task: FileTask) -> str:
    return ", ".join((task.kind, *task.classes))


def _sized(
    learnt: list[Example],
    tested: list[Example],
    task: FileTask,
    tests: FileTask,
    options: DataOptions,
) -> dict[str, list[Example]]:
    """The four splits, of the sizes asked for."""
    of, sizes = stratum(task.kind), dict(sizes_of(options))
    asked = {split: n for split, n in sizes.items() if split != "test"}
    free = {s: n for s, n in DEFAULT.items() if s != "test" and s not in asked}
    # Splits of which no size is asked for need one example a class.
    room = len(learnt) - len(free) * max(len(task.classes), 1)
    if options.shrink and sum(asked.values()) > room:
        asked = {split: n * room // sum(asked.values()) for split, n in asked.items()}
    need, tests_need = sum(asked.values()), 0 if options.shrink else sizes.get("test", 0)
    for about, have, n in ((task.name, room, need), (tests.name, len(tested), tests_need)):
        if n > have:
            raise UserError(
                f"{about} has room for {have:,} examples, and {n:,} are asked for: lower "
                "--n-train, --n-validation or --n-test, or add examples."
            )
    rest = len(learnt) - need
    want = asked | {split: rest * n / sum(free.values()) for split, n in free.items()}
    kept = learnt if free else draw(learnt, need, of)
    shares = Shares(**{s: n / sum(want.values()) for s, n in want.items()}, test=0.0)
    splits = part(kept, shares, 0, of)
    return splits | {"test": draw(tested, sizes.get("test", len(tested)), of)}
