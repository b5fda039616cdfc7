"""Tiny models of every architecture that reads text, made by Transformers' own configurations.

Each is saved as a folder, loaded as a user's model is, and asked what a study rests on. It passes,
or is refused by a sentence for one of the reasons that docs/models.md lists. Which models there are
is read from Transformers; what cannot be made so small, or at all, is listed with the reason.
"""

import re
import shutil
import warnings
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
import torch
import transformers
from transformers.models.auto import modeling_auto
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.ground.errors import UserError
from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.models.batches import encode
from weak2strong.models.behaviour import states_of
from weak2strong.models.language import load_language_model
from weak2strong.models.load import load_model
from weak2strong.tasks.task import Item
from weak2strong.training.fit import fit
from weak2strong.training.generate import generate
from weak2strong.training.predict import pooled_rows
from weak2strong.training.training_set import TrainingSet

FAST = (
    *("llama", "gpt2", "bert", "roberta", "t5", "xlnet"),
    *("mamba", "rwkv", "fnet", "mixtral", "qwen3_vl", "falcon"),
)
"""Of many kinds, and quick: tried by every run of the tests."""

TABLES = (
    *("MULTIMODAL_LM", "SEQ_TO_SEQ_CAUSAL_LM", "CAUSAL_LM", "IMAGE_TEXT_TO_TEXT"),
    *("MASKED_LM", "SEQUENCE_CLASSIFICATION", "TEXT_ENCODING"),
)
"""Transformers' tables of models that read text, most telling first."""

TOKENS = 320
LARGEST = 4_000_000
"""Parameters of a model that is tried."""

HEADS = r"^(num_attention_heads|n_heads?|num_heads|n_mamba_heads|(en|de)coder_attention_heads)$"
SMALL = (
    (r"(^|_)vocab_size(_|$)|^n_vocab$|^vocabulary_size$", TOKENS),
    (r"^(num_|n_)?(encoder_|decoder_|text_|hidden_|transformer_)*(layers?|blocks)$|^depth$", 2),
    (r"^(mamba_n_heads|linear_num_(key|value)_heads|mamba_num_heads)$", 4),
    (HEADS, 2),
    (r"(attention_heads|key_value_heads|kv_heads|num_query_groups|kv_n_heads|[a-z]_heads)$", 2),
    (
        r"^(hidden_size|d_model|n_embd|dim|(embed|emb|model|hidden|embedding|attention|block)_dim)$",
        32,
    ),
    (r"^(embedding|out_hidden|text_hidden|attention_hidden|output|pooler_hidden)_size$", 32),
    (r"^((de|en)coder|image)_hidden_size$|^hidden_size_per_layer_input$|^lru_width$|^width$", 32),
    (r"^(projection_dim|word_embed_proj_dim)$", 32),
    (r"(intermediate_size|ffn_(hidden_size|embed_dim|dim)|d_ff|n_inner|d_inner|inner_dim)$", 64),
    (r"((mlp|feed_forward)_hidden_size|mlp_dim|feedforward_size|dim_ff|fc_dim)$", 64),
    (r"(position_embeddings|n_positions|n_ctx|context_length|(source|target)_positions)$", 64),
    (r"(seq_len|seq_length|sequence_length|max_position|position_embeddings_decoder)$", 64),
    (
        r"^(head_dim|d_head|kv_channels|d_kv|qk_nope_head_dim|(swa_)?v_head_dim|qk_rope_head_dim)$",
        16,
    ),
    (r"^((attention|global|swa|linear_key|linear_value)_head_dim|dim_head|head_size)$", 16),
    (r"^(attention_head_size|key_length)$", 16),
    (r"^qk_head_dim$", 32),
    (r"(q|kv|o)_lora_rank$|(state_size|mamba_d_state|mamba_d_ssm)$", 16),
    (r"^(n_routed_|num_|num_local_|moe_num_|n_)experts$", 4),
    (r"^(n_group|topk_group|num_expert_groups?|n_expert_groups?|mp_num)$", 1),
    (r"^rotary_dim$", 8),
    (r"(experts_per_tok(en)?|moe_topk|moe_k|top_k_experts|^type_vocab_size)$", 2),
    (r"image_size$", 28),
    (r"patch_size$", 14),
)
"""What a number of a configuration is called, and what it is at most here."""

OUTCOMES = ("ok", "refused", "not made", "traceback", "mismatch")
SPECIAL = {"bos": 0, "eos": 1, "pad": 2, "cls": 0, "sep": 1, "mask": 3, "unk": 4}
TEXTS = (
    "Lima",
    "Lyon is a city in France.",
    "A red house stands beside a blue river.",
    "Quito",
    "The blue bird sings in the morning, and the red one in the evening.",
    "Lima is a city in Peru.",
)
SHORT = Training(
    steps=3, batch_size=6, learning_rate=1e-3, head_rate=1e-2, schedule="constant", warmup=0.0
)


@dataclass(frozen=True)
class Found:
    """What became of a model: ok, refused, not made, traceback or mismatch; and why."""

    what: str
    why: str = ""


def kinds():
    """The class of each type of model, as Transformers' tables have it."""
    found = {}
    for table in TABLES:
        names = getattr(modeling_auto, f"MODEL_FOR_{table}_MAPPING_NAMES")
        for kind, name in names.items():
            found.setdefault(kind, name if isinstance(name, str) else name[0])
    return dict(sorted(found.items()))


def shrink(config):
    """Make the numbers of a configuration small, in place; parts of it likewise."""
    values = dict(vars(config))
    for name, number in SPECIAL.items():
        if f"{name}_token_id" in values:
            setattr(config, f"{name}_token_id", number)
    others = [n for n in values if re.search(r"_token_(id|index)$", n)]
    for number, name in enumerate(n for n in others if n.split("_")[0] not in SPECIAL):
        if isinstance(values[name], int) and values[name] >= 0:
            # Digits, which stand in no text here.
            setattr(config, name, 19 + number % 8)
    for name, value in values.items():
        if hasattr(value, "get_text_config"):
            shrink(value)
        elif isinstance(value, int) and not isinstance(value, bool) and value > 0:
            most = next((small for pattern, small in SMALL if re.search(pattern, name)), value)
            if most < value:
                try:
                    setattr(config, name, most)
                # Some numbers are derived, and cannot be set.
                except Exception:
                    continue
    if layers := values.get("num_hidden_layers"):
        by_layer = [n for n, v in values.items() if isinstance(v, list) and len(v) == layers]
        for name in by_layer:
            # One layer of each kind, and two at least.
            each = list(dict.fromkeys(values[name]))
            few = (each * 2)[: max(2, len(each))]
            setattr(config, name, few)
            if name == "layer_types":
                config.num_hidden_layers = len(few)


def make(kind, name, tokenizer, folder):
    """Save a tiny model of a type; raises what Transformers says where it cannot be made."""
    config = CONFIG_MAPPING[kind]()
    shrink(config)
    maker = getattr(transformers, name)
    with torch.device("meta"):
        size = sum(p.numel() for p in maker(config).parameters())
    if size > LARGEST:
        raise ValueError(f"its smallest form here has {size:,} parameters")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        whole = maker(config)
        with torch.no_grad():
            for weight in whole.parameters():
                # Wider than usual, so that a random trunk tells texts apart.
                if weight.ndim > 1 and float(weight.std()) < 0.1:
                    weight.normal_(0, 0.1)
    whole.save_pretrained(folder)
    for file in tokenizer.glob("*token*"):
        shutil.copy(file, folder)


def pass_by_itself(folder):
    """Raise what Transformers says where sizes of a model do not fit together."""
    ids = torch.arange(5, 29)[None].repeat(2, 1)
    try:
        whole = transformers.AutoModel.from_pretrained(folder)
        with torch.no_grad():
            whole(input_ids=ids, attention_mask=torch.ones_like(ids))
    # What is wrong with anything else is ours to say.
    except (RuntimeError, IndexError) as e:
        if "ignore_mismatched_sizes" not in str(e):
            raise
    except Exception:
        return


def unlike(given, expected, least=1e-5):
    """By how much states differ, where it is more than rounding of numbers of their size."""
    off = np.abs(given - expected).max()
    return None if off <= least * max(1.0, np.abs(expected).max()) else f"{off:.1e}"


def by_hand(model, row):
    """What a head should read of a text: one pass of its own, without padding or a mask."""
    trunk = model.network.trunk
    ids = torch.tensor([row])
    with torch.no_grad():
        states = states_of(trunk, ids, torch.ones_like(ids))
        ids[0, -1] = 77
        changed = states_of(trunk, ids, torch.ones_like(ids))
    before = (states - changed)[0, :-1].abs()
    decoder = not len(row) > 1 or float(before.max()) <= 1e-4 * float(states.abs().mean())
    return decoder, states[0, -1].numpy(), states[0].mean(0).numpy()


def reads(folder, heard):
    """What is wrong with how a loaded model reads texts, in batches and with padding.

    Layers that the outputs depend on are added to ``heard``.
    """
    model = load(folder, "full")
    rows = encode(model.tokenizer, TEXTS)
    together = pooled_rows(model, rows)
    decoders, last, mean = zip(*(by_hand(model, row) for row in rows), strict=True)
    if off := unlike(together, np.stack(last if all(decoders) else mean)):
        yield f"a batch differs from each text alone by {off}"
    model.tokenizer.padding_side = "left"
    if off := unlike(pooled_rows(model, encode(model.tokenizer, TEXTS)), together):
        yield f"padding on the left differs by {off}"
    tokens, mask = model.batch(rows)
    model.network(tokens, mask).sum().backward()
    # Some models have a class of their own for them.
    inner = model.network.trunk.modules()
    tables = [m.weight for m in inner if "Embedding" in type(m).__name__ and hasattr(m, "weight")]
    if not any(table.grad is not None and table.grad.any() for table in tables):
        yield "no gradient reaches the embeddings"
    heard |= {
        name.removesuffix(".weight")
        for name, p in model.network.named_parameters()
        if p.grad is not None and p.grad.any()
    }


def load(folder, adaptation):
    spec = ModelSpec(str(folder), adaptation=adaptation, precision="float32")
    return load_model(spec, "classification", 2, 0)


def learns(folder, adaptation, heard):
    """What is wrong with training: the loss must fall in two steps, and adapters move.

    That is, those of the layers that the outputs depend on: a pooler, for one, comes after what a
    head reads.
    """
    model = load(folder, adaptation)
    items = [Item(str(i), str(i), text) for i, text in enumerate(TEXTS)]
    targets = np.eye(2)[[0, 1, 1, 0, 1, 0]]
    losses = fit(model, TrainingSet(items, targets), CrossEntropy(), SHORT, 0).curve.losses
    if not losses[2] < losses[0]:
        yield f"{adaptation}: the loss goes {losses[0]:.4f}, {losses[1]:.4f}, {losses[2]:.4f}"
    if adaptation == "lora":
        adapters = {
            name.split(".lora_B.")[0]: p
            for name, p in model.network.named_parameters()
            if ".lora_B." in name
        }
        still = [name for name, p in adapters.items() if name in heard and not p.any()]
        if still or not heard & set(adapters):
            yield f"{len(still)} of {len(adapters)} adapters do not move: {still[:2]}"


def writes(folder):
    """What is wrong with how a decoder writes: what a batch gets is no likeliest next token."""
    model = load_language_model(ModelSpec(str(folder), adaptation="full", precision="float32"))
    rows = encode(model.tokenizer, TEXTS)
    for row, new in zip(rows, generate(model, rows, 4), strict=True):
        new = new if len(new) == 4 else [*new, model.tokenizer.eos_token_id]
        ids = torch.tensor([[*row, *new]])
        with torch.no_grad():
            options = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
            logits = model.network.whole(**options, use_cache=False).logits[0, len(row) - 1 : -1]
        chosen = logits[torch.arange(len(new)), torch.tensor(new)]
        if float((logits.max(1).values - chosen).max()) > 1e-3 * float(logits.std()):
            yield f"a batch writes what {TEXTS[rows.index(row)]!r} alone would not"
            return


def tried(folder, writer):
    """What became of a saved model."""
    try:
        heard = set()
        faults = [
            *reads(folder, heard),
            *learns(folder, "full", heard),
            *learns(folder, "lora", heard),
        ]
    except UserError as e:
        return Found("refused", str(e).replace(str(folder), "FOLDER"))
    except Exception as e:
        return Found("traceback", f"{type(e).__name__}: {e}"[:200])
    try:
        faults += writes(folder) if writer else []
    except UserError as e:
        return Found("mismatch", "; ".join(faults)) if faults else Found("ok", f"no words: {e}")
    except Exception as e:
        return Found("traceback", f"writing: {type(e).__name__}: {e}"[:200])
    return Found("mismatch", "; ".join(faults)) if faults else Found("ok")


def look(kind, name, tokenizer, folder):
    """What became of a type of model."""
    before = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return made_and_tried(kind, name, tokenizer, folder)
    finally:
        transformers.logging.set_verbosity(before)


def made_and_tried(kind, name, tokenizer, folder):
    """What became of it, with warnings as they are."""
    try:
        make(kind, name, tokenizer, folder)
        config = transformers.AutoConfig.from_pretrained(folder)
        pass_by_itself(folder)
    # A configuration that does not fit together can fail in any way.
    except Exception as e:
        return Found("not made", " ".join(f"{type(e).__name__}: {e}".split())[:200])
    decodes = type(config) in transformers.AutoModelForCausalLM._model_mapping
    return tried(folder, decodes or name.endswith("ForConditionalGeneration"))


def sorted_out(found):
    """A line a type of model, and how many there are of each outcome."""
    lines = [f"{one.what:10} {kind:28} {one.why}" for kind, one in found.items()]
    return "\n".join([*lines, str(Counter(one.what for one in found.values()))])


@pytest.mark.parametrize("kind", FAST)
def test_a_model_of_each_kind_does_what_a_study_rests_on(kind, toy_models, tmp_path):
    found = look(kind, kinds()[kind], toy_models["llama"], tmp_path)
    assert found.what == "ok", found.why


REASONS = (
    "cannot read plain text by itself",
    "cannot be loaded",
    "has no configuration of its own",
    "does not read plain text by itself",
    "no linear layers that low-rank adapters",
    "was added to the tokenizer and not to the model",
)
"""Why a model may be refused; docs/models.md lists them."""


@pytest.mark.slow
def test_every_architecture_that_reads_text_does_so_or_is_refused_by_a_sentence(
    toy_models, tmp_path
):
    found = {}
    for kind, name in kinds().items():
        folder = tmp_path / kind
        found[kind] = look(kind, name, toy_models["llama"], folder)
        shutil.rmtree(folder, ignore_errors=True)
    print(sorted_out(found))
    tell = {what: [k for k, one in found.items() if one.what == what] for what in OUTCOMES}
    assert not tell["traceback"], sorted_out({k: found[k] for k in tell["traceback"]})
    assert not tell["mismatch"], sorted_out({k: found[k] for k in tell["mismatch"]})
    made = len(tell["ok"]) + len(tell["refused"])
    assert made >= 80
    # Four of some 260 are saved by Transformers so that it does not find their weights again.
    assert len(tell["ok"]) >= 0.88 * made
    unlisted = {k: found[k] for k in tell["refused"] if not is_listed(found[k].why)}
    assert not unlisted, sorted_out(unlisted)


def is_listed(why):
    """Whether a reason for refusal is one that the documentation lists."""
    return any(reason in why for reason in REASONS)
