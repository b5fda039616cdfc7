"""The optimiser of a training: AdamW, as PyTorch has it, or in less memory.

Less memory is of two kinds, which a model's settings ask for. Weights of bfloat16 are rounded at
random after each step, up or down with the probabilities that keep their mean (stochastic rounding;
Gupta et al. 2015, *Deep Learning with Limited Numerical Precision*): rounded to the nearest, steps
that are smaller than half of a weight's last digit would all be lost. And AdamW's two moments take
8 bits each, by blocks that have a scale each (Dettmers et al. 2022, *8-bit Optimizers via
Block-wise Quantization*).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import count
from typing import Any

import torch
from torch import Tensor, nn

from weak2strong.config.training import Training
from weak2strong.models.loaded import Trainable
from weak2strong.models.needs import SMALL

BLOCK = 256
"""Numbers that have a scale together."""

CHUNK = {"cpu": 2**20, "other": 2**25}
"""Numbers of a weight that are stepped together. Some float32 copies of them are made: they should
stay in the cache of a CPU, and take a gigabyte of a GPU in all."""


def optimizer_of(
    model: Trainable,
    peaks: Sequence[tuple[nn.Module, float | None]],
    training: Training,
    seed: int,
) -> torch.optim.Optimizer:
    """AdamW over the parts, whose numbers its groups have as ``part``.

    Weight decay leaves out biases and the scales of norms, which are vectors: pulling these to zero
    is no regularisation, and the field does not do it.

    Args:
        model: that is trained; its settings say in which memory.
        peaks: its parts, each with its peak learning rate.
        training: settings.
        seed: of weights that are rounded at random.
    """
    groups = []
    for number, (part, peak) in enumerate(peaks):
        if peak is None:
            raise ValueError("the learning rates must be given (see Training.with_rates)")
        trained = [p for p in part.parameters() if p.requires_grad]
        for decay, params in (
            (training.weight_decay, [p for p in trained if p.ndim > 1]),
            (0.0, [p for p in trained if p.ndim <= 1]),
        ):
            groups.append({"params": params, "lr": peak, "weight_decay": decay, "part": number})
    betas = (training.beta1, training.beta2)
    small = model.optimizer_states == "8-bit"
    weights = (p for group in groups for p in group["params"])
    if small or any(p.dtype == torch.bfloat16 for p in weights):
        return SmallAdamW(groups, betas, small, seed)
    return torch.optim.AdamW(groups, betas=betas, fused=True)


class SmallAdamW(torch.optim.Optimizer):
    """AdamW whose weights may be bfloat16, rounded at random, and whose moments may be of 8 bits.

    Of the second moment the root is kept, whose range is half as wide. What it computes with is
    float32. Weights of fewer than `SMALL` numbers have float32 moments.
    """

    def __init__(
        self,
        groups: Sequence[dict[str, Any]],
        betas: tuple[float, float],
        small: bool,
        seed: int,
        eps: float = 1e-8,
    ):
        super().__init__(groups, {"betas": betas, "eps": eps})
        self._small, self._seed = small, seed

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # pyright: ignore
        """One step by the gradients that are there."""
        assert closure is None, "the loop has the gradients"
        number = count()
        for group in self.param_groups:
            for p in group["params"]:
                which = next(number)
                if p.grad is not None:
                    self._step(p, p.grad, group, which)

    def _step(self, p: Tensor, gradient: Tensor, group: dict[str, Any], which: int) -> None:
        state = self.state[p]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32)
            for moment in ("mean", "root"):
                state |= _nothing(moment, p, self._small and p.numel() >= SMALL)
        # It may have been put on the device with a checkpoint; reading it there would wait.
        state["step"] = state["step"].cpu() + 1
        done = int(state["step"])
        draws = torch.Generator(p.device).manual_seed(hash((self._seed, done, which)) % 2**63)
        weights, gradients = p.view(-1), gradient.reshape(-1)
        size = CHUNK["cpu" if p.device.type == "cpu" else "other"]
        for begin in range(0, p.numel(), size):
            chunk = slice(begin, begin + size)
            self._step_chunk(weights[chunk], gradients[chunk], state, chunk, done, group, draws)

    def _step_chunk(
        self,
        weights: Tensor,
        gradients: Tensor,
        state: dict[str, Tensor],
        chunk: slice,
        done: int,
        group: dict[str, Any],
        draws: torch.Generator,
    ) -> None:
        """AdamW's equations for some numbers of a weight (Loshchilov and Hutter 2019)."""
        (beta1, beta2), rate = group["betas"], group["lr"]
        g = gradients.float()
        mean = _read("mean", state, chunk).lerp_(g, 1 - beta1)
        square = _read("root", state, chunk).square_().mul_(beta2).addcmul_(g, g, value=1 - beta2)
        root = square.sqrt_()
        _write("mean", mean, state, chunk)
        _write("root", root, state, chunk)
        w = weights.float().mul_(1 - rate * group["weight_decay"])
        size = root.div_((1 - beta2**done) ** 0.5).add_(group["eps"])
        w.addcdiv_(mean, size, value=-rate / (1 - beta1**done))
        weights.copy_(rounded_at_random(w, draws) if weights.dtype == torch.bfloat16 else w)


def rounded_at_random(values: Tensor, draws: torch.Generator) -> Tensor:
    """Float32 values as bfloat16, each of the two nearest as often as it is near."""
    noise = torch.randint(
        2**16, values.shape, generator=draws, dtype=torch.int32, device=values.device
    )
    # A bfloat16 is the upper half of a float32: what the lower half adds up to may carry over.
    return ((values.view(torch.int32) + noise) & -(2**16)).view(torch.float32).bfloat16()


def _nothing(moment: str, p: Tensor, small: bool) -> dict[str, Tensor]:
    """The state of a moment that is zero."""
    if not small:
        return {moment: torch.zeros(p.shape, dtype=torch.float32, device=p.device)}
    blocks = -(-p.numel() // BLOCK)
    zero = int((_levels(moment == "mean", "cpu") == 0).nonzero())
    return {
        f"{moment}_codes": torch.full((p.numel(),), zero, dtype=torch.uint8, device=p.device),
        f"{moment}_scales": torch.zeros(blocks, dtype=torch.float32, device=p.device),
    }


def _read(moment: str, state: dict[str, Tensor], chunk: slice) -> Tensor:
    """Some numbers of a moment in float32: a copy, or, where it is float32, the moment itself."""
    if moment in state:
        return state[moment].view(-1)[chunk].clone()
    codes = state[f"{moment}_codes"][chunk]
    scales = state[f"{moment}_scales"][_blocks(chunk, len(codes))]
    levels = _levels(moment == "mean", str(codes.device))
    return levels.index_select(0, codes.int()) * scales.repeat_interleave(BLOCK)[: len(codes)]


def _write(moment: str, values: Tensor, state: dict[str, Tensor], chunk: slice) -> None:
    """Keep some numbers of a moment, each as the nearest level times its block's scale."""
    if moment in state:
        state[moment].view(-1)[chunk] = values
        return
    missing = -len(values) % BLOCK
    blocks = nn.functional.pad(values, (0, missing)).view(-1, BLOCK)
    scales = blocks.abs().amax(dim=1)
    shares = blocks / scales.clamp(min=torch.finfo(torch.float32).tiny)[:, None]
    levels = _levels(moment == "mean", str(values.device))
    codes = torch.bucketize(shares, (levels[1:] + levels[:-1]) / 2, out_int32=True)
    state[f"{moment}_codes"][chunk] = codes.to(torch.uint8).view(-1)[: len(values)]
    state[f"{moment}_scales"][_blocks(chunk, len(values))] = scales


def _blocks(chunk: slice, size: int) -> slice:
    """The blocks of a chunk's numbers; chunks are whole blocks but the last."""
    begin = chunk.start // BLOCK
    return slice(begin, begin - (-size // BLOCK))


@cache
def _levels(signed: bool, device: str) -> Tensor:
    """The 256 levels of 8 bits between -1 or 0 and 1, ascending: finer where numbers are small.

    As Dettmers et al. 2022, section 1.3: of each power of ten down to the seventh the middles of
    intervals of equal width, twice as many for each greater power; and 0 and 1.
    """
    found = [0.0, 1.0]
    for power in range(7):
        among = 2 ** (6 - power) if signed else 2 ** (7 - power)
        middles = (0.1 + 0.9 * (i + 0.5) / among for i in range(among))
        own = [middle * 10.0**-power for middle in middles]
        found += own + ([-value for value in own] if signed else [])
    return torch.tensor(sorted(found), dtype=torch.float32, device=device)
