"""The card of a kept model: what it was trained on and how it did, and how others load it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

import weak2strong
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.models.folders import held
from weak2strong.models.image_types import is_weights_file

POOLED = {
    "last": 'pooled = states[range(len(states)), batch["attention_mask"].sum(1) - 1]',
    "cls": "pooled = states[:, 0]",
    "mean": 'mask = batch["attention_mask"].unsqueeze(-1)\n'
    "pooled = (states * mask).sum(1) / mask.sum(1)",
}
"""How the states of a text become one vector, for texts that are padded on the right."""


@dataclass(frozen=True)
class Scores:
    """The scores of one cell on the test set; student and PGR are None but for a student."""

    metric: str
    floor: float
    ceiling: float
    student: float | None = None
    pgr: float | None = None


_TRUNKS = {
    "full": "AutoModel.from_pretrained(FOLDER)",
    "head": "AutoModel.from_pretrained(BASE{options}){part}",
    "lora": "PeftModel.from_pretrained(AutoModel.from_pretrained(BASE{options}){part}, FOLDER)",
}
"""Python that loads the trunk, by what the folder holds."""


def card(about: Mapping[str, Any], config: StudyConfig, scores: Scores | None) -> str:
    """The card as Markdown.

    Args:
        about: what ``weak2strong.json`` says.
        config: the study.
        scores: of the cell, where the study has them.
    """
    base, training = about["base"], _training(about, config)
    head = {
        "library_name": "peft" if held(about) == "lora" else "transformers",
        "tags": ["weak-to-strong", about["kind"]],
    }
    if "/" in base["name"] and not base["name"].startswith(("/", ".", "~")):
        head["base_model"] = base["name"]
    method = f" of the method `{about['method']}`" if about["method"] else ""
    at = f" at {base['revision']}" if base["revision"] else ""
    asked = "images/" if "images" in about else "texts.jsonl"
    lines = [
        f"---\n{yaml.safe_dump(head, sort_keys=True)}---",
        f"# {about['role'].capitalize()}{method} on {about['task']}, seed {about['seed']}",
        f"`{base['name']}`{at}, adapted as `{about['model']['adaptation']}`, by weak2strong "
        f"{weak2strong.__version__}.",
        _learned(about, config),
        f"- Data: {about['source']}\n- Classes: {', '.join(about['classes'])}\n"
        f"- Seed: {about['seed']} (split seed {config.split_seed})\n"
        f"- Training: {training}",
        _scores(scores),
        "## To use it",
        "As in the study, with probabilities by id:",
        f"```console\n$ w2s predict --model FOLDER --task {asked} --out answers.parquet\n```",
        "In Python, without weak2strong:",
        f"```python\n{loader(about)}\n```",
        _names(about),
        _outputs(about),
    ]
    return "\n\n".join(lines) + "\n"


def loader(about: Mapping[str, Any]) -> str:
    """Python that loads the model from its folder, ``FOLDER``, and gives outputs for texts."""
    base, holds = about["base"], held(about)
    revision = f", revision={base['revision']!r}" if base["revision"] else ""
    rounds = about.get("quantization")
    rounding = f"rounding = BitsAndBytesConfig(**{rounds!r})\n" if rounds else ""
    imported = ", BitsAndBytesConfig" if rounds else ""
    # Both are of the model beneath.
    revision += ", quantization_config=rounding" if rounds else ""
    if "images" in about:
        return _loader_of_images(about, revision)
    trunk = _TRUNKS[holds].format(options=revision, part="")
    tokens = (
        'tokenizer = AutoTokenizer.from_pretrained(FOLDER, padding_side="right")\n'
        'batch = tokenizer(TEXTS, return_tensors="pt", padding=True, truncation=True)\n'
    )
    peft = "from peft import PeftModel\n" if holds == "lora" else ""
    if about["transformers_class"]:
        options = f"num_labels={about['outputs']}, pad_token_id=tokenizer.pad_token_id"
        whole = f"AutoModelForSequenceClassification.from_pretrained(BASE{revision}, {options})"
        whole = {
            "full": "AutoModelForSequenceClassification.from_pretrained(FOLDER)",
            "lora": f"PeftModel.from_pretrained({whole}, FOLDER)",
        }.get(holds)
        if whole is not None:
            return (
                f"{peft}from transformers import AutoModelForSequenceClassification, AutoTokenizer"
                f"{imported}\n\n{rounding}{tokens}model = {whole}\nlogits = model(**batch).logits"
            )
    return (
        f"{peft}from safetensors.torch import load_file\n"
        f"from transformers import AutoModel, AutoTokenizer{imported}\n\n{rounding}{tokens}"
        f'trunk, head = {trunk}, load_file(f"{{FOLDER}}/head.safetensors")\n'
        f"states = trunk(**batch)[0]\n{POOLED[about['model']['pooling']]}\n"
        'logits = pooled.float() / head["size"] @ head["weight"].T + head.get("bias", 0)'
    )


def _loader_of_images(about: Mapping[str, Any], revision: str) -> str:
    """The same for images; a single file of weights is read by this package alone."""
    holds, first = held(about), about["images"]["first_tokens"]
    if is_weights_file(ModelSpec(about["base"]["name"])):
        return "# The model beneath is a file of weights, which weak2strong reads: w2s predict"
    pooled = {
        "auto": "states.pooler_output.flatten(1)",
        "cls": "states[0][:, 0]",
        "mean": f"states[0][:, {first}:].mean(1) if states[0].ndim == 3 else "
        "states[0].flatten(2).mean(2)",
    }[about["model"]["pooling"]]
    part = ".vision_model" if about["images"]["is_part"] else ""
    trunk = _TRUNKS[holds].format(options=revision, part=part)
    processor = "FOLDER" if holds == "full" else f"BASE{revision}"
    peft = "from peft import PeftModel\n" if holds == "lora" else ""
    return (
        f"{peft}from PIL import Image\nfrom safetensors.torch import load_file\n"
        "from transformers import AutoImageProcessor, AutoModel\n\n"
        f"processor = AutoImageProcessor.from_pretrained({processor})\n"
        'images = [Image.open(file).convert("RGB") for file in FILES]\n'
        'batch = processor(images=images, return_tensors="pt")\n'
        f'trunk, head = {trunk}, load_file(f"{{FOLDER}}/head.safetensors")\n'
        f"states = trunk(**batch)\npooled = {pooled}\n"
        'logits = pooled.float() / head["size"] @ head["weight"].T + head.get("bias", 0)'
    )


def _names(about: Mapping[str, Any]) -> str:
    """What the names in the Python of the card stand for."""
    base = about["base"]["name"]
    whole = held(about) == "full"
    read = "`FILES` a list of images" if "images" in about else "`TEXTS` a list of texts"
    beneath = "" if whole else f", `BASE` the model beneath (`{base}`, or where it is)"
    return f"`FOLDER` is this folder, {read}{beneath}."


def _outputs(about: Mapping[str, Any]) -> str:
    if about["kind"] == "preference":
        return (
            "A text, which is a prompt with a completion, has one reward: `logits`. The softmax of "
            "the rewards of two completions says which of them is preferred."
        )
    return "The softmax of `logits` are the probabilities of the classes, in the order above."


def _learned(about: Mapping[str, Any], config: StudyConfig) -> str:
    if about["role"] == "student":
        more = "by a method that sees ground truth, too" if about["oracle"] else "no ground truth"
        return f"It learned weak labels of {config.weak_name}, and {more}."
    return "It learned ground truth."


def _training(about: Mapping[str, Any], config: StudyConfig) -> str:
    training = {
        "supervisor": config.weak_training,
        "ceiling": config.ceiling_training,
        "student": config.strong_training,
    }[about["role"]]
    rates = ", ".join(
        f"{name} {rate:g}"
        for name, rate in (("trunk", training.learning_rate), ("head", training.head_rate))
        if rate is not None
    )
    told = f"; peak rates {rates}" if rates else ""
    return f"{training.amount}{told}"


def _scores(scores: Scores | None) -> str:
    if scores is None:
        return "The study has no scores of this model alone."
    rows = [("floor", scores.floor), ("student", scores.student), ("ceiling", scores.ceiling)]
    told = [f"| {name} | {value:.4f} |" for name, value in rows if value is not None]
    if scores.pgr is not None:
        pgr = f"{scores.pgr:.3f}" if math.isfinite(scores.pgr) else "undefined"
        told.append(f"| PGR of this seed alone | {pgr} |")
    return "\n".join([f"| test set | {scores.metric} |", "|---|---|", *told])
