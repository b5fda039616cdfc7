"""Models that a process keeps between the steps of a study, so that it reads their weights once.

What is kept is never trained: whoever needs a model gets a copy, which shares what it does not
train (see `weak2strong.models.weights`). Models are kept only while a step is done (`keeping`), as
far as memory allows, those that were used last before others; what is not kept is read again. No
number depends on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from weak2strong.models.capacity import available_bytes, device_bytes

ON_DEVICE = 0.1
"""Share of an accelerator's memory that may hold models which the step at work does not use. The
memory of a training is measured as if it were free, and leaves 0.15 (see `USABLE`)."""

IN_HOST = 1 / 8
"""Share of the machine's memory that is free when a model is asked for, which the copies that a
process keeps may fill: a training and other processes want the rest."""


TOKENIZERS = 8
"""So many tokenizers are kept, which take little memory."""


STATES = 2**28
"""Bytes that the states of texts may take which one frozen trunk has read."""


class States:
    """What a frozen trunk made of batches of texts, so that every batch passes it once.

    A batch is known by all its texts, so that states are those of the same pass, to the bit.
    """

    def __init__(self) -> None:
        self._states = dict[bytes, Any]()
        self._room = STATES

    def of(self, texts: Sequence[Sequence[int]], passed: Callable[[], Any]) -> Any:
        """The states of a batch of texts, in token ids; it passes if it did not before."""
        name = hashlib.sha256(repr([list(text) for text in texts]).encode()).digest()
        if (found := self._states.get(name)) is None:
            found = passed()
            if found.nbytes <= self._room:
                self._states[name] = found
                self._room -= found.nbytes
        return found


class Kept:
    """The models that a process keeps, by names that say which weights they have, and in what form.

    Attributes:
        is_open: whether a step is done, so that models are kept.
    """

    def __init__(self) -> None:
        self.is_open = False
        self._models = dict[Hashable, tuple[Any, set[str]]]()
        self._tokenizers = dict[Hashable, Any]()
        self._states = dict[tuple[Hashable, str], States]()

    def model(
        self, name: Hashable, read: Callable[[], tuple[Any, set[str]]]
    ) -> tuple[Any, set[str]]:
        """The model of a name, and the weights that its files lack; read if it is not here."""
        found = self._models.pop(name, None) or read()
        # The one that was used last stands at the end.
        self._models[name] = found
        return found

    def tokenizer(self, name: Hashable, load: Callable[[], Any]) -> Any:
        """The tokenizer of a name, which nobody changes; it is loaded if it is not here."""
        if name not in self._tokenizers:
            self._tokenizers[name] = load()
        while len(self._tokenizers) > TOKENIZERS:
            del self._tokenizers[next(iter(self._tokenizers))]
        return self._tokenizers[name]

    def states(self, name: Hashable, pooling: str) -> States | None:
        """The states that a model which is kept has given so far, pooled in a way."""
        if name not in self._models:
            return None
        return self._states.setdefault((name, pooling), States())

    def make_room(self, name: Hashable, copied: bool) -> bool:
        """Let go what there is no room for beside a model that is about to be used.

        Args:
            name: of the model.
            copied: whether it is used as a copy with weights of its own.

        Returns:
            Whether there is room to keep the model itself; if not, it is let go, too.
        """
        others = [model for key, (model, _) in self._models.items() if key != name]
        apart = [model for model in others if _device(model).type != "cpu"]
        while apart and sum(map(_bytes, apart)) > ON_DEVICE * device_bytes(_device(apart[0])):
            apart.pop(0).to("cpu")
        here = [key for key, (model, _) in self._models.items() if _device(model).type == "cpu"]
        here = [key for key in here if copied or key != name]
        # The model itself goes last.
        here.sort(key=lambda key: key == name)
        room = IN_HOST * available_bytes()
        while here and sum(_bytes(self._models[key][0]) for key in here) > room:
            del self._models[here.pop(0)]
        self._forget_states()
        return name in self._models

    def keep_only(self, name: Hashable) -> None:
        """Let all models go but one."""
        self._models = {key: kept for key, kept in self._models.items() if key == name}
        self._forget_states()

    def empty(self) -> None:
        """Let everything go."""
        self._models.clear()
        self._tokenizers.clear()
        self._states.clear()

    def _forget_states(self) -> None:
        """Let go what models gave that are not kept any more."""
        self._states = {key: of for key, of in self._states.items() if key[0] in self._models}


KEPT = Kept()
"""What this process keeps."""


@contextmanager
def keeping() -> Iterator[None]:
    """A context in which models that are loaded are kept for later."""
    before, KEPT.is_open = KEPT.is_open, True
    try:
        yield
    finally:
        KEPT.is_open = before


def _device(model: Any) -> Any:
    """Where a model's trunk is, whose weights come first; its output layer may be elsewhere."""
    return next(model.parameters()).device


def _bytes(model: Any) -> int:
    return sum(tensor.nbytes for tensor in (*model.parameters(), *model.buffers()))
