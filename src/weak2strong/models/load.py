"""A pretrained trunk with a fresh head, on the best device there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from weak2strong.config.model import Checkpointing, ModelSpec, OptimizerStates, Pooling
from weak2strong.ground.draws import draw_seed
from weak2strong.ground.errors import UserError
from weak2strong.models.adapters import adapt
from weak2strong.models.attention import use_plain_attention
from weak2strong.models.batches import pad
from weak2strong.models.behaviour import behaviour, without_cache
from weak2strong.models.configuration import check_kind, is_decoder, load_config
from weak2strong.models.few_bits import has_few_bits, is_rounded
from weak2strong.models.heads import POOLS, new_head
from weak2strong.models.kept import States
from weak2strong.models.layers import inputs_of, layer_count
from weak2strong.models.packing import Packed, pack, packs, trunk_inputs
from weak2strong.models.precision import precision_of
from weak2strong.models.ranks import ALONE, Ranks, is_cut
from weak2strong.models.resolve import resolve_model
from weak2strong.models.states import check_states, reading_fault, width_of
from weak2strong.models.text_part import text_part, writer_class
from weak2strong.models.weights import (
    check_output_layer,
    frozen_states,
    read_tokenizer,
    read_weights,
)
from weak2strong.tasks.task import Kind


class Network(nn.Module):
    """Trunk, pooling and head: token ids (b, t) and mask (b, t) to outputs (b, outputs).

    Texts that are packed are one row of token ids, and have a `Packed` for a mask.

    ``size`` is what the head's states are divided by: 1 until a training has measured it.
    ``by_length`` says that only texts of one length pass together: the trunk reads padding.
    """

    size: Tensor

    def __init__(
        self,
        trunk: nn.Module,
        head: nn.Linear,
        decoder: bool,
        pooling: Pooling = "auto",
        by_length: bool = False,
    ):
        super().__init__()
        self.trunk, self.head, self.by_length = trunk, head, by_length
        self.register_buffer("size", torch.ones(()))
        usual = "last" if decoder else "mean"
        self._pool = POOLS[usual if pooling == "auto" else pooling]
        # Encoders have no cache and refuse the argument; decoders would fill one for nothing.
        self._options = without_cache(trunk) if decoder else {}

    def pooled(self, tokens: Tensor, mask: Tensor | Packed) -> Tensor:
        """One vector a text, (b, d): the trunk's last layer at the pooled position."""

        def read(tokens: Tensor, mask: Tensor | Packed) -> list[Tensor]:
            return [self._pool(self.states(tokens, mask), mask)]

        return self._read(tokens, mask, read)[0]

    def states(self, tokens: Tensor, mask: Tensor | Packed) -> Tensor:
        """The trunk's last layer at every token, (b, t, d)."""
        return self.trunk(**trunk_inputs(tokens, mask), **self._options)[0]

    def pooled_layers(
        self,
        tokens: Tensor,
        mask: Tensor | Packed,
        layers: Sequence[int],
        pooling: Pooling = "auto",
    ) -> list[Tensor]:
        """One vector a text for each of these layers, (b, d), the last of them as by `pooled`.

        Layer 0 is what the embeddings give. Only the last layer is after the final norm.
        ``pooling`` is the network's own, if ``auto``.
        """
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

    def read(self, pooled: Tensor) -> Tensor:
        """Outputs of the head for pooled states (b, d), float32 at least."""
        outputs = self.head(pooled.to(self.head.weight.dtype) / self.size)
        return outputs.to(torch.promote_types(outputs.dtype, torch.float32))

    def forward(self, tokens: Tensor, mask: Tensor | Packed) -> Tensor:
        """Outputs of the head, float32 at least."""
        return self.read(self.pooled(tokens, mask))

    @property
    def is_cut(self) -> bool:
        """Whether several ranks hold the trunk together."""
        return any(is_cut(p) for p in self.trunk.parameters())

    @property
    def trains_trunk(self) -> bool:
        """Whether anything beneath the head is trained."""
        return any(p.requires_grad for p in self.trunk.parameters())


@dataclass(frozen=True)
class Trainable:
    """What a training needs of a model, whatever stands on its trunk.

    Attributes:
        network: a module with a ``trunk``, from token ids (b, t) and mask (b, t) to outputs.
        tokenizer: with a pad token.
        device: where it runs.
        precision: of the matrix products; trained weights are float32.
        checkpointing: whether activations may be computed twice.
        ranks: the processes that hold the network together.
        packing: whether texts pass it packed, without padding.
        optimizer_states: what the moments of the optimiser are kept in.
    """

    network: Any
    tokenizer: Any
    device: torch.device
    precision: torch.dtype = torch.float32
    checkpointing: Checkpointing = "auto"
    ranks: Ranks = ALONE
    packing: bool = False
    optimizer_states: OptimizerStates = "float32"

    def batch(self, rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor | Packed]:
        """Texts as the network reads them, padded or packed: token ids, and where they are."""
        if self.packing:
            return pack(rows, self.device)
        return pad(rows, self.tokenizer.pad_token_id, self.device)

    def autocast(self) -> AbstractContextManager:
        """The context in which the network computes in its precision."""
        # What several ranks have trained stays in float32 (see `freeze`).
        mixed = self.network.trains_trunk or (
            self.ranks.several
            and any(p.dtype == torch.float32 for p in self.network.trunk.parameters())
        )
        return computing_in(self.precision, self.device, mixed)

    def lower(self, part: nn.Module) -> None:
        """Freeze a part of the network, and round it to the precision.

        A part that is cut over several ranks keeps the type of its numbers, and is computed with in
        the precision as in training: FSDP2 does not allow another type.
        """
        part.requires_grad_(False)
        if self.ranks.several:
            return
        if not has_few_bits(part):
            part.to(self.precision)
            return
        # Only what was trained is of another type, and the rest is not to be touched.
        for weight in part.parameters():
            if weight.dtype == torch.float32 and not is_rounded(weight):
                weight.data = weight.data.to(self.precision)


@dataclass(frozen=True)
class LoadedModel(Trainable):
    """A network with its tokenizer, the kind of task its head is for, and where it runs.

    ``scaled`` says whether a training divides what the head reads by its size. ``states`` are those
    that the trunk has made of texts before, where it is frozen and this process keeps it.
    """

    network: Network
    kind: Kind = field(kw_only=True)
    scaled: bool = field(default=False, kw_only=True)
    states: States | None = field(default=None, kw_only=True)

    def pooled(
        self, texts: Sequence[Sequence[int]], tokens: Tensor, mask: Tensor | Packed
    ) -> Tensor:
        """One vector for each text of a batch, (b, d), without gradients, by a pass or from before.

        Args:
            texts: of the batch, in token ids.
            tokens: the same as the network reads them.
            mask: likewise.
        """
        # With dropout every pass gives something else.
        if self.states is None or self.network.training:
            return self.network.pooled(tokens, mask)
        return self.states.of(texts, lambda: self.network.pooled(tokens, mask))

    def freeze(self) -> None:
        """End training: weights that were float32 for its sake are rounded to the precision."""
        self.lower(self.network.trunk)


def computing_in(
    precision: torch.dtype, device: torch.device, trains_trunk: bool
) -> AbstractContextManager:
    """The context in which a network computes in a precision, its trained weights in float32."""
    # A trunk that is frozen is in this precision already, from its first state to its last.
    if precision == torch.float32 or not trains_trunk:
        return nullcontext()
    return torch.autocast(device.type, precision)


_ON_CPU = ContextVar[bool]("on_cpu", default=False)


@contextmanager
def on_cpu() -> Iterator[None]:
    """In here models are on the CPU, as where small ones are only tried out."""
    token = _ON_CPU.set(True)
    try:
        yield
    finally:
        _ON_CPU.reset(token)


def best_device() -> torch.device:
    """CUDA, else Apple's MPS, else the CPU."""
    if _ON_CPU.get():
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def load_model(
    spec: ModelSpec, kind: Kind, classes: int, seed: int, ranks: Ranks = ALONE
) -> LoadedModel:
    """Load a trunk, adapted as asked for, and give it a fresh head drawn from the seed.

    Dropout stays off (the network is in evaluation mode) but where a training
    asks for it.

    Args:
        spec: the model.
        kind: of the task that the head is for.
        classes: how many the task has.
        seed: of the first weights of head and adapters.
        ranks: that hold it together; the trunk is cut over them, and each has the whole head and
            all adapters.

    Raises:
        UserError: where Transformers cannot load the model or its tokenizer, or the
            answers are not tokens of the model, or there are none to give.
    """
    from transformers import AutoModel

    check_kind(spec, kind)
    spec = resolve_model(spec)
    tokenizer, device = read_tokenizer(spec), best_device()
    by_answers = spec.head_start == "answers"
    if by_answers and ranks.several:
        raise UserError(
            f"Model {spec.name!r}: a head that starts from answers is not made on several GPUs: "
            "choose another head_start, or a model that fits one GPU."
        )
    config = load_config(spec)
    loader = writer_class(config) if by_answers else AutoModel
    whole, missing = read_weights(spec, loader, device, ranks)
    if by_answers:
        check_output_layer(spec, whole, missing)
    trunk: Any = text_part(whole.base_model if by_answers else whole)
    decoder = is_decoder(config, spec.trust_remote_code)
    width = width_of(config, spec.trust_remote_code)
    # Models of different width would otherwise begin with the same numbers.
    draws = torch.Generator().manual_seed(draw_seed(seed, "head", str(width)))
    head = new_head(kind, width, classes, decoder, draws)
    if spec.head_start != "random":
        with torch.no_grad():
            head.weight.zero_()
    if by_answers:
        if not decoder:
            raise UserError(
                f"Model {spec.name!r} is no decoder, so it has no next word: "
                "choose another head_start than answers."
            )
        start_from_answers(head, whole, tokenizer, spec.answers)
    by_length = not behaviour(config, spec.trust_remote_code).hides_right
    if by_length and ranks.several:
        raise UserError(
            f"Model {spec.name!r} reads padding, so only texts of one length pass together, which "
            "is not done on several GPUs: choose a model that fits one GPU."
        )
    network = Network(adapt(trunk, spec, seed), head, decoder, spec.pooling, by_length).eval()
    move(network, spec, device, ranks)
    precision = precision_of(spec, device)
    scaled = spec.head_states == "scaled" or (spec.head_states == "auto" and not by_answers)
    packing = packs(spec, trunk, device, precision)
    use_plain_attention(trunk, device, precision)
    model = LoadedModel(
        network,
        tokenizer,
        device,
        precision,
        spec.checkpointing,
        ranks,
        packing,
        spec.optimizer_states,
        kind=kind,
        scaled=scaled,
        states=frozen_states(spec, loader, device, ranks),
    )
    _try_out(model, spec.name)
    return model


def _try_out(model: LoadedModel, name: str) -> None:
    """Refuse a model that cannot read plain text, or whose states are not what a head reads.

    Raises:
        UserError: for such a model.
    """
    network: Network = model.network
    tokens = torch.zeros(2, 4, dtype=torch.long, device=model.device)
    try:
        with model.ranks.without_gradients(), model.autocast():
            states = network.states(tokens, torch.ones_like(tokens))
    except torch.OutOfMemoryError:
        raise
    # What a model asks for beside a text is its own, and so is the error.
    except Exception as e:
        raise reading_fault(name, e) from e
    texts, length = tokens.shape
    check_states(name, states, texts, length, network.head.in_features)


def move(network: nn.Module, spec: ModelSpec, device: torch.device, ranks: Ranks = ALONE) -> None:
    """Put a network on its device; what is cut over several ranks is there already.

    Raises:
        UserError: where it does not fit.
    """
    if ranks.several:
        if isinstance(network, Network):
            network.head.to(device)
            network.size = network.size.to(device)
        return
    try:
        network.to(device)
    except torch.OutOfMemoryError as e:
        advice = "adapt it by LoRA, or " if spec.adaptation == "full" else ""
        raise UserError(
            f"Model {spec.name!r} does not fit into the memory of the {device.type} "
            f"(adaptation {spec.adaptation}): {advice}take a smaller one."
        ) from e


def start_from_answers(
    head: nn.Linear, whole: Any, tokenizer: Any, answers: tuple[str, ...]
) -> None:
    """Give the head a language model's output weights of one token a class, in place.

    Before any training, its outputs are then the model's own logits of these answers. It has a
    bias where the language model's output has one.

    Raises:
        UserError: where an answer is not one token, or there are fewer or more than classes.
    """
    if len(answers) != head.out_features:
        raise UserError(
            f"The task has {head.out_features} classes, but {len(answers)} answers are given: "
            "give one a class, in the order of the classes."
        )
    ids = [tokenizer(answer, add_special_tokens=False)["input_ids"] for answer in answers]
    for answer, tokens in zip(answers, ids, strict=True):
        if len(tokens) != 1:
            raise UserError(
                f"The answer {answer!r} is {len(tokens)} tokens of the model: choose words of one, "
                "with the space before them if a space comes first."
            )
    if len({tokens[0] for tokens in ids}) < len(ids):
        raise UserError("Two of the answers are the same token: choose different ones.")
    output = whole.get_output_embeddings()
    rows = torch.tensor([tokens[0] for tokens in ids])
    with torch.no_grad():
        head.weight.copy_(output.weight[rows])
        if getattr(output, "bias", None) is not None:
            head.bias = nn.Parameter(output.bias[rows].clone())
