"""A pretrained trunk that reads texts, with a fresh head, on the best device there is."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from weak2strong.config.model import ModelSpec
from weak2strong.ground.draws import draw_seed
from weak2strong.ground.errors import UserError
from weak2strong.models.adapters import adapt
from weak2strong.models.attention import use_plain_attention
from weak2strong.models.behaviour import behaviour, states_of
from weak2strong.models.configuration import check_kind, is_decoder, load_config
from weak2strong.models.heads import new_head
from weak2strong.models.loaded import LoadedModel, best_device, move
from weak2strong.models.network import Network
from weak2strong.models.packing import packs
from weak2strong.models.precision import precision_of
from weak2strong.models.ranks import ALONE, Ranks
from weak2strong.models.reader import TextReader
from weak2strong.models.resolve import resolve_model
from weak2strong.models.sound import check_lacking
from weak2strong.models.states import check_states, reading, width_of
from weak2strong.models.text_part import text_part, writer_class
from weak2strong.models.weights import (
    check_output_layer,
    frozen_states,
    read_tokenizer,
    read_weights,
)
from weak2strong.tasks.task import Kind


def load_text_model(
    spec: ModelSpec, kind: Kind, classes: int, seed: int, ranks: Ranks = ALONE
) -> LoadedModel:
    """Load a trunk that reads texts, adapted as asked for, with a fresh head drawn from the seed.

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
    if not ranks.several:
        _check_whole(spec, trunk)
    network = Network(adapt(trunk, spec, seed), head, decoder, spec.pooling, by_length).eval()
    move(network, spec, device, ranks)
    precision = precision_of(spec, device)
    scaled = spec.head_states == "scaled" or (spec.head_states == "auto" and not by_answers)
    packing = packs(spec, trunk, device, precision)
    use_plain_attention(trunk, device, precision)
    model = LoadedModel(
        network,
        TextReader(tokenizer),
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
    _try_out(model, network, spec)
    return model


def _try_out(model: LoadedModel, network: Network, spec: ModelSpec) -> None:
    """Refuse a model that cannot read plain text, or whose states are not what a head reads.

    Raises:
        UserError: for such a model.
    """
    tokens = torch.zeros(2, 4, dtype=torch.long, device=model.device)
    with reading(spec.name), model.ranks.without_gradients(), model.autocast():
        states = network.states(tokens, torch.ones_like(tokens))
    texts, length = tokens.shape
    check_states(spec.name, states, texts, length, network.head.in_features)


def _check_whole(spec: ModelSpec, trunk: Any) -> None:
    """Refuse a trunk whose states depend on weights that its files lack.

    It has no adapters yet, which give the weights beneath no gradients.

    Raises:
        UserError: for such a model.
    """
    tokens = torch.zeros(1, 2, dtype=torch.long, device=next(trunk.parameters()).device)
    with reading(spec.name):
        check_lacking(spec, trunk, lambda: states_of(trunk, tokens, torch.ones_like(tokens)))


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
