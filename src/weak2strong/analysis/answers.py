"""The answers on one task of a finished run, as arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from weak2strong.ground.predictions import values_in
from weak2strong.tasks.kinds import labels_from_lists
from weak2strong.tasks.task import Kind

if TYPE_CHECKING:
    import polars as pl


class Answers:
    """The answers on one task as arrays, examples in the order of their ids."""

    def __init__(self, rows: pl.DataFrame, seeds: int):
        import polars as pl

        who = ["role", "method", "seed"]
        rows = rows.sort(*who, "id")
        self._seeds = seeds
        self.kind: Kind = rows["kind"][0]
        # All at once: one role and seed after another would take many times as long.
        self._values = values_in(rows, self.kind)
        self._ids = rows["id"].to_numpy()
        ends = rows.group_by(who, maintain_order=True).agg(pl.len())["len"].to_numpy().cumsum()
        starts = [0, *ends[:-1]]
        keys = rows[starts].select(who).rows()
        self._parts = {k: slice(*ends) for k, *ends in zip(keys, starts, ends, strict=True)}
        # Every role answers the same examples; this one is in every run.
        self._examples = next(part for key, part in self._parts.items() if key[0] == "floor")
        examples = rows[self._examples]
        self.labels = labels_from_lists(self.kind, examples["label"].to_list())
        self.groups = examples["group"].to_numpy()

    @property
    def ids(self) -> np.ndarray:
        """The ids of the examples, in their order, ``(n,)``."""
        return self._ids[self._examples]

    def of(self, role: str, method: str = "") -> np.ndarray:
        """The answers of one role, ``(seeds, examples, ...)``."""
        return np.stack([self.one(role, method, seed) for seed in range(self._seeds)])

    def have(self, role: str, method: str = "") -> bool:
        """Whether there are answers of that role and method."""
        return any(part[:2] == (role, method) for part in self._parts)

    def check(self, role: str) -> np.ndarray:
        """The answers of a check: ``(1, examples, ...)`` of one for all seeds, or as `of`."""
        if (role, "", -1) in self._parts:
            return self.one(role, "", -1)[None]
        return self.of(role)

    def score(self, role: str, score: Callable[..., float]) -> float:
        """The score of a check, mean over its seeds where it has any."""
        return float(np.mean([score(one, self.labels) for one in self.check(role)]))

    def one(self, role: str, method: str, seed: int) -> np.ndarray:
        """The answers ``(examples, ...)`` of one role and seed."""
        part = self._parts.get((role, method, seed))
        if part is None or not np.array_equal(self._ids[part], self._ids[self._examples]):
            raise ValueError(f"{role} {method} seed {seed}: other examples than the rest")
        return self._values[part]
