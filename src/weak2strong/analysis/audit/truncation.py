"""How many texts a model does not read to their end."""

from __future__ import annotations

import numpy as np

from weak2strong.analysis.audit.finding import Finding, Level, excerpts
from weak2strong.analysis.audit.reader import Reader
from weak2strong.analysis.audit.subject import Subject
from weak2strong.tasks.splits import SPLITS

WARNING, ERROR = 0.01, 0.25
"""Shares of the texts that are cut."""


def truncation(subject: Subject, reader: Reader) -> list[Finding]:
    """A finding where texts are longer than the model reads in a run."""
    from weak2strong.models.batches import token_counts
    from weak2strong.models.lengths import longest_read

    items = [item for split in SPLITS for item in subject.splits.items(split)]
    # Of the texts of an example the longest counts.
    counts = np.array(token_counts(reader.tokenizer, items)).reshape(len(items), -1).max(axis=1)
    longest = longest_read(reader.tokenizer)
    cut = counts > longest
    if not cut.any():
        return []
    share, pairs = float(cut.mean()), any(item.completions for item in items)
    lost = "their beginning" if pairs else "their end, often the question itself,"
    level: Level = "error" if share >= ERROR else "warning" if share >= WARNING else "note"
    of = {
        name: float(cut[subject.labels == label].mean())
        for label, name in enumerate(subject.task.classes)
    }
    order = np.argsort(-counts, kind="stable")
    return [
        Finding(
            "truncation",
            level,
            f"{reader.spec.name} reads {longest:,} tokens and cuts {share:.1%} of the texts (the "
            f"longest has {counts.max():,}): {lost} is lost.",
            {
                "model": reader.spec.name,
                "limit": longest,
                "share": share,
                "longest": int(counts.max()),
                **{f"share of {name}": value for name, value in of.items()},
            },
            excerpts([subject.used[order[0]]]),
        )
    ]
