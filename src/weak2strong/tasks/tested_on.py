"""Tasks that are learnt from one dataset and tested on another one, such as a benchmark."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.apart import clean_parts, given_splits
from weak2strong.tasks.belonging import told_apart
from weak2strong.tasks.dealt import dealt
from weak2strong.tasks.files import FileTask, sizes_of


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
    about = {"test": tests.name, "": task.name}
    given = {"test": tested}
    sizes = sizes_of(options)
    splits = dealt(learnt, given, about, task.kind, task.classes, sizes, options.shrink)
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
