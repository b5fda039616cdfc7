"""The network that reads texts: a pretrained trunk, pooling, and a head."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from weak2strong.config.model import Pooling
from weak2strong.models.behaviour import without_cache
from weak2strong.models.heads import POOLS
from weak2strong.models.layers import inputs_of, layer_count
from weak2strong.models.loaded import Headed
from weak2strong.models.packing import Packed, trunk_inputs


class Network(Headed):
    """Trunk, pooling and head: token ids (b, t) and mask (b, t) to outputs (b, outputs).

    Texts that are packed are one row of token ids, and have a `Packed` for a mask.

    ``by_length`` says that only texts of one length pass together: the trunk reads padding.
    """

    def __init__(
        self,
        trunk: nn.Module,
        head: nn.Linear,
        decoder: bool,
        pooling: Pooling = "auto",
        by_length: bool = False,
    ):
        super().__init__(trunk, head)
        self.by_length = by_length
        usual = "last" if decoder else "mean"
        self.pooling = usual if pooling == "auto" else pooling
        self._pool = POOLS[self.pooling]
        # Encoders have no cache and refuse the argument; decoders would fill one for nothing.
        self._options = without_cache(trunk) if decoder else {}

    def pooled(self, *batch: Any) -> Tensor:
        """One vector a text, (b, d): the trunk's last layer at the pooled position."""

        def read(tokens: Tensor, mask: Tensor | Packed) -> list[Tensor]:
            return [self._pool(self.states(tokens, mask), mask)]

        tokens, mask = batch
        return self._read(tokens, mask, read)[0]

    def states(self, tokens: Tensor, mask: Tensor | Packed) -> Tensor:
        """The trunk's last layer at every token, (b, t, d)."""
        return self.trunk(**trunk_inputs(tokens, mask), **self._options)[0]

    def pooled_layers(
        self, batch: Sequence[Any], layers: Sequence[int], pooling: Pooling = "auto"
    ) -> list[Tensor]:
        """One vector a text for each of these layers, (b, d), the last of them as by `pooled`.

        Layer 0 is what the embeddings give. Only the last layer is after the final norm.
        ``pooling`` is the network's own, if ``auto``.
        """
        tokens, mask = batch
        count = layer_count(self.trunk.config)
        below = [layer for layer in layers if layer < count]
        pool = self._pool if pooling == "auto" else POOLS[pooling]
        if self.is_cut:
            # Transformers does not know layers again that are cut over several ranks.
            with inputs_of(self.trunk, below) as kept:
                last = self.states(tokens, mask)
            return [pool(kept.get(i, last), mask) for i in layers]
        # Given a list, Transformers keeps these layers' states alone; older versions keep all.
        options = self._options | ({"output_hidden_states": below} if below else {})

        def read(tokens: Tensor, mask: Tensor | Packed) -> list[Tensor]:
            output = self.trunk(**trunk_inputs(tokens, mask), **options)
            states = (output[0] if i == count else output.hidden_states[i] for i in layers)
            return [pool(one, mask) for one in states]

        return self._read(tokens, mask, read)

    def _read(
        self,
        tokens: Tensor,
        mask: Tensor | Packed,
        read: Callable[[Tensor, Tensor | Packed], list[Tensor]],
    ) -> list[Tensor]:
        """What ``read`` gives of a batch, or of the texts of each length where padding is read."""
        if not self.by_length or isinstance(mask, Packed):
            return read(tokens, mask)
        lengths = mask.sum(1)
        places, parts = [], []
        for length in lengths.unique().tolist():
            places.append((lengths == length).nonzero()[:, 0])
            parts.append(read(tokens[places[-1], :length], mask[places[-1], :length]))
        order = torch.cat(places).argsort()
        return [torch.cat(of_all)[order] for of_all in zip(*parts, strict=True)]
