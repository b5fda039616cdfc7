"""A whole causal language model: loaded to be trained on tokens, and saved for others to load."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.adapters import adapt
from weak2strong.models.attention import use_plain_attention
from weak2strong.models.batches import on_device
from weak2strong.models.border import hide_progress_bars
from weak2strong.models.configuration import check_writes, load_config
from weak2strong.models.few_bits import is_turned, widened_state, without_bits
from weak2strong.models.loaded import Trainable, best_device, move
from weak2strong.models.packing import Packed, packs, trunk_inputs
from weak2strong.models.precision import precision_of
from weak2strong.models.ranks import ALONE, Ranks
from weak2strong.models.reader import TextReader
from weak2strong.models.resolve import resolve_model
from weak2strong.models.states import check_finite_states, reading
from weak2strong.models.text_part import text_part, writer_class
from weak2strong.models.weights import read_tokenizer, read_weights


@dataclass(frozen=True)
class Counted:
    """The tokens of a micro-batch that count, k of them, by where the model predicts them.

    The places are known before the model passes anything, so that no pass has to be waited for.

    Attributes:
        columns: before a token that counts in some row, (c,); logits are made there.
        rows: of each counted token, (k,), one text after another.
        among: which of the columns is before it, (k,).
        texts: to which text it belongs, (k,).
        nth: its place among others of the text, (k,).
        shape: the number of texts, and more than any such place.
    """

    columns: Tensor
    rows: Tensor
    among: Tensor
    texts: Tensor
    nth: Tensor
    shape: tuple[int, int]

    @staticmethod
    def of(marks: Sequence[Sequence[int]], device: torch.device, packed: bool = False) -> Counted:
        """From 1 for each token that counts, else 0, by texts; a text's first token never counts.

        Args:
            marks: of the tokens of each text.
            device: of the network.
            packed: whether the texts pass packed.
        """
        places = [
            (text, place)
            for text, of_text in enumerate(marks)
            for place, mark in enumerate(of_text[1:])
            if mark
        ]
        begins = (0, *accumulate(map(len, marks)))
        at = [begins[text] + place if packed else place for text, place in places]
        number = {column: n for n, column in enumerate(sorted(set(at)))}
        texts, among = [text for text, _ in places], [number[column] for column in at]
        nth = [place for _, place in places] if packed else among
        rows = [0] * len(places) if packed else texts
        found = on_device(torch.tensor([rows, among, texts, nth], dtype=torch.long), device)
        columns = on_device(torch.tensor(list(number), dtype=torch.long), device)
        return Counted(columns, *found, shape=(len(marks), max(nth, default=-1) + 1))


class LanguageNetwork(nn.Module):
    """Trunk and output layer: token ids (b, t) and mask (b, t) to surprise (b,)."""

    def __init__(self, whole: Any):
        super().__init__()
        self.whole = whole
        # Models of a hub's own code may not know it.
        self._chooses = "logits_to_keep" in inspect.signature(whole.forward).parameters

    @property
    def trunk(self) -> Any:
        """The part that reads text."""
        return text_part(self.whole.base_model)

    @property
    def trains_trunk(self) -> bool:
        """Whether anything of it is trained."""
        return any(p.requires_grad for p in self.parameters())

    def forward(
        self, tokens: Tensor, mask: Tensor | Packed, counted: Counted | None = None
    ) -> Tensor:
        """Negative log likelihood of each row's counted tokens, summed, in nats, (b,).

        Each token is predicted from those before it; the first has none and never counts.

        Args:
            tokens: padded on the right, or packed.
            mask: 1 for what is no padding, or where the packed texts are.
            counted: the tokens that count; by default all that are no padding.
        """
        if counted is None:
            packed = isinstance(mask, Packed)
            marks = [[1] * length for length in mask.lengths] if packed else mask.tolist()
            counted = Counted.of(marks, tokens.device, packed)
        logits, aims = self.predicted(tokens, mask, counted)
        surprise = functional.cross_entropy(logits, aims, reduction="none")
        none = surprise.new_zeros(counted.shape)
        return none.index_put((counted.texts, counted.nth), surprise).sum(1)

    def predicted(
        self, tokens: Tensor, mask: Tensor | Packed, counted: Counted
    ) -> tuple[Tensor, Tensor]:
        """What is predicted where a token counts, logits (k, v), and the token itself, (k,).

        Arguments as in `forward`.
        """
        columns, rows, among = counted.columns, counted.rows, counted.among
        # Logits are made only where some row needs them: vocabularies are large.
        chosen = {"logits_to_keep": columns} if self._chooses else {}
        logits = self.whole(**trunk_inputs(tokens, mask), use_cache=False, **chosen).logits
        if not self._chooses:
            logits = logits[:, columns]
        logits = logits[rows, among]
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        return logits, tokens[rows, columns[among] + 1]


@dataclass(frozen=True)
class LanguageModel(Trainable):
    """A language model with its tokenizer, and where it runs."""

    network: LanguageNetwork

    def freeze(self) -> None:
        """End training: weights that were float32 for its sake are rounded to the precision."""
        self.lower(self.network)


def load_language_model(spec: ModelSpec, seed: int = 0, ranks: Ranks = ALONE) -> LanguageModel:
    """Load a causal language model, adapted as asked for; dropout is off.

    With LoRA the output layer is frozen like everything else without adapters. Of
    the settings that came with the model for generation (sampling, penalties)
    none is kept.

    Args:
        spec: the model; what it says of heads and pooling is for others.
        seed: of the adapters' first weights.
        ranks: that hold it together.

    Raises:
        UserError: where it is no decoder, its files have no output layer, only a head
            would be trained, or Transformers cannot load it.
    """
    from transformers import GenerationConfig

    check_writes(spec)
    spec = resolve_model(spec)
    tokenizer, device = read_tokenizer(spec), best_device()
    whole, missing = read_weights(spec, writer_class(load_config(spec)), device, ranks)
    if missing:
        raise UserError(
            f"Model {spec.name!r} lacks weights of a language model, {min(missing)} among them: "
            "choose one that was saved with its output layer."
        )
    trunk = text_part(whole.base_model)
    if trunk is not whole.base_model:
        # What reads images or sound is kept as it is.
        whole.base_model.requires_grad_(False)
        trunk.requires_grad_(spec.adaptation == "full")
    if spec.adaptation == "lora":
        whole.requires_grad_(False)
        adapt(trunk, spec, seed)
    whole.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    network = LanguageNetwork(whole).eval()
    move(network, spec, device, ranks)
    precision = precision_of(spec, device)
    packing = packs(spec, whole, device, precision)
    use_plain_attention(whole, device, precision)
    model = LanguageModel(
        network,
        TextReader(tokenizer),
        device,
        precision,
        spec.checkpointing,
        ranks,
        packing,
        spec.optimizer_states,
    )
    _try_out(model, spec)
    return model


def _try_out(model: LanguageModel, spec: ModelSpec) -> None:
    """Refuse a model that cannot tell how probable a text is.

    Raises:
        UserError: for such a model.
    """
    tokens = torch.zeros(2, 4, dtype=torch.long, device=model.device)
    with reading(spec.name), model.ranks.without_gradients(), model.autocast():
        check_finite_states(spec.name, model.network(tokens, torch.ones_like(tokens)))


def save_language_model(model: LanguageModel, folder: Path) -> None:
    """Write weights, configuration and tokenizer, so that a `ModelSpec` of the folder loads them.

    Adapters are merged into the weights they stand on, in these weights' precision; weights of few
    bits are written as the numbers that they stand for.
    """
    hide_progress_bars()
    whole = model.network.whole
    state = _merged(whole, model.precision)
    whole = without_bits(whole)
    if model.ranks.several:
        # Every weight is put together before; Transformers would gather them once more.
        whole.config.distributed_config = None
    if model.ranks.rank == 0:
        whole.save_pretrained(folder, state_dict=state)
        model.tokenizer.save_pretrained(folder)
    model.ranks.gathered(None)


def _merged(whole: Any, precision: torch.dtype) -> dict[str, Tensor]:
    """The weights by the names they have without adapters, those of few bits in a precision."""
    from peft.tuners.lora import LoraLayer

    state = {name: _whole(value) for name, value in whole.state_dict().items()}
    state = widened_state(whole, state, precision)
    adapted: list[tuple[str, Any]] = [
        (name, m) for name, m in whole.named_modules() if isinstance(m, LoraLayer)
    ]
    for name, layer in adapted:
        state = {k: v for k, v in state.items() if not k.startswith(f"{name}.")}
        base = layer.get_base_layer()
        own = {k: _whole(v) for k, v in base.state_dict().items()}
        own = widened_state(base, own, precision)
        state |= {f"{name}.{k}": v for k, v in own.items()}
        change: Any = sum(layer.get_delta_weight(adapter) for adapter in layer.active_adapters)
        weight = own["weight"]
        change = change.t() if is_turned(base) else change
        state[f"{name}.weight"] = (weight + change).detach().to(weight.dtype)
    return state


def _whole(value: Any) -> Tensor:
    """A tensor that may be cut over several ranks, put together on each of them."""
    return value.full_tensor() if hasattr(value, "full_tensor") else value
