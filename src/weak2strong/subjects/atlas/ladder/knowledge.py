"""How much of the facts a rung holds: the country of a city, completed greedily."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from weak2strong.subjects.atlas.facts import PROMPT, City, sentence


def known_countries(folder: Path, cities: Sequence[City], batch: int = 256) -> list[bool]:
    """For each city, whether the model completes `PROMPT` with its country, greedily.

    Greedy decoding yields the right continuation exactly if every one of its
    tokens is the most probable one after the right tokens before it, so one
    forward pass without generation answers the question.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from weak2strong.models.border import hide_progress_bars

    hide_progress_bars()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    texts = [(sentence(PROMPT, city=c.name), f" {c.country.name}.") for c in cities]
    by_length: dict[int, list[tuple[int, list[int], int]]] = defaultdict(list)
    for i, (prompt, answer) in enumerate(texts):
        start = tokenizer(prompt)["input_ids"]
        end = tokenizer(answer, add_special_tokens=False)["input_ids"]
        by_length[len(start) + len(end)].append((i, start + end, len(end)))
    known = [False] * len(cities)
    with torch.inference_mode():
        for rows in by_length.values():
            for start_row in range(0, len(rows), batch):
                part = rows[start_row : start_row + batch]
                tokens = torch.tensor([ids for _, ids, _ in part])
                best = model(input_ids=tokens, use_cache=False).logits.argmax(-1)
                for row, (i, _, length) in enumerate(part):
                    predicted, right = best[row, -length - 1 : -1], tokens[row, -length:]
                    known[i] = bool((predicted == right).all())
    return known
