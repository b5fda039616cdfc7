"""Tasks that are learnt from one dataset and tested on another one, such as a benchmark."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.belonging import told_apart
from weak2strong.tasks.files import FileTask, sizes_of
from weak2strong.tasks.kinds import stratum
from weak2strong.tasks.parts import clean_parts, given_splits
from weak2strong.tasks.sizes import DEFAULT, draw
from weak2strong.tasks.splits import part
from weak2strong.tasks.task import Example, Shares


def tested_on(task: FileTask, tests: FileTask, options: DataOptions) -> FileTask:
    """A task whose ``test`` is made of other data, and whose other splits are made of its own data.

    What both data have in common, by group or text, or nearly by text, is tested on and not learnt
    from. The splits depend on names alone, not on the seed of the splits.

    Args:
        task: what is learnt from; its rows are cleaned again, together with those of the tests.
        tests: what is tested on, of the same kind and classes.
        options: sizes and cleaning.

    Raises:
        UserError: where the two do not go together, or a size has not enough examples.
    """
    if (task.kind, task.classes) != (tests.kind, tests.classes):
        raise UserError(
            f"{task.name} ({_form(task)}) cannot be tested on {tests.name} ({_form(tests)}): "
            "name data of the same kind and classes with --test-on."
        )
    rows = [
        told_apart(data.rows, data.accounts[0] if data.accounts else None, data.name)
        for data in (task, tests)
    ]
    parts, cleaning = clean_parts(rows, (task.name, tests.name), task.classes, options)
    learnt, tested = parts
    splits = _sized(learnt, tested, task, tests, options)
    before = (task.cleaning, tests.cleaning)
    cleaning = replace(
        cleaning,
        read=sum(c.read for c in before),
        malformed=sum(c.malformed for c in before),
        named=tuple(name for c in before for name in c.named),
        by_source=dict(sum((Counter(c.by_source) for c in before), Counter())),
    )
    return replace(
        task,
        name=f"{task.name}-on-{tests.name}",
        source=f"{task.source}; tested on {tests.source}",
        licence=" and ".join(dict.fromkeys((task.licence, tests.licence))),
        accounts=tuple(replace(a, beside=True) for a in (*task.accounts, *tests.accounts)),
        rows=(*rows[0], *rows[1]),
        split_of={},
        **given_splits(splits, cleaning),
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
    """The four splits, of the sizes that are asked for."""
    stratum_of, sizes = stratum(task.kind), dict(sizes_of(options))
    tested_size = sizes.pop("test", len(tested))
    free = {s: n for s, n in DEFAULT.items() if s != "test" and s not in sizes}
    # Splits for which no size is asked need one example a class.
    room = len(learnt) - len(free) * max(len(task.classes), 1)
    if options.shrink:
        tested_size = min(tested_size, len(tested))
        if (total := sum(sizes.values())) > room:
            sizes = {split: n * room // total for split, n in sizes.items()}
    need = sum(sizes.values())
    for about, have, n in ((task.name, room, need), (tests.name, len(tested), tested_size)):
        if n > have:
            raise UserError(
                f"{about} has room for {have:,} examples, and {n:,} are asked for: lower "
                "--n-train, --n-validation or --n-test, or add examples."
            )
    rest = len(learnt) - need
    wanted = sizes | {split: rest * n / sum(free.values()) for split, n in free.items()}
    kept = learnt if free else draw(learnt, need, stratum_of)
    shares = Shares(**{s: n / sum(wanted.values()) for s, n in wanted.items()}, test=0.0)
    splits = part(kept, shares, 0, stratum_of)
    return splits | {"test": draw(tested, tested_size, stratum_of)}
