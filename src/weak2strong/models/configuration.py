"""What a model's configuration tells: whether it is a decoder, and for which kinds of task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError, first_line
from weak2strong.ground.predictions import WRITTEN
from weak2strong.models.beneath import beneath, tokenizer_location
from weak2strong.models.chats import keep_settings
from weak2strong.models.folders import location_of
from weak2strong.models.lengths import longest_of
from weak2strong.models.positions import fit_tokenizer
from weak2strong.models.reads import reads_words
from weak2strong.tasks.task import Kind

NOT_SAFE = (
    "its weights are neither in the form safetensors nor in pytorch_model.bin, as other files "
    "can run code. Where you trust them, load model and tokenizer with Transformers, save both to "
    "a folder with save_pretrained, and give that folder."
)
"""What is said of weights in other forms."""


def check_kind(spec: ModelSpec, kind: Kind) -> None:
    """Refuse a kind of task that a model or its settings cannot be for.

    Raises:
        UserError: for answers to start from where a task has no classes; where answers are
            written and the model is no decoder, or only a head would be trained.
    """
    if spec.head_start == "answers" and kind == "preference":
        raise UserError(
            f"Model {spec.name}: a preference task has one reward and no classes, so there "
            "are no answers to start the head from: choose another head_start."
        )
    if spec.head_start == "own" and reads_words(spec):
        raise UserError(
            f"Model {spec.name}: only models of images have a last layer of their own to start "
            "from: choose another head_start."
        )
    if kind in WRITTEN:
        check_writes(spec)


def check_writes(spec: ModelSpec) -> None:
    """Refuse a model that cannot be trained as a language model; its weights are not looked at.

    Raises:
        UserError: where it is no decoder, only a head would be trained, or Transformers
            cannot load its configuration.
    """
    if spec.adaptation == "head":
        raise UserError(
            f"Model {spec.name!r}: as a language model it has no fresh head that could be trained "
            "alone, so choose adaptation full or lora."
        )
    if not is_decoder(load_config(spec), spec.trust_remote_code):
        raise UserError(
            f"Model {spec.name!r} is no decoder, so it cannot be trained as a language model or "
            "write answers: choose a decoder."
        )


def is_decoder(config: Any, trust_remote_code: bool = False) -> bool:
    """Whether a model reads from left to right, so that its last token has seen the whole text.

    That is tried out on a miniature of it (see `weak2strong.models.behaviour`): of a model that
    reads images, too, its part for text counts, and of an encoder-decoder its encoder.
    """
    # Trying takes PyTorch, which a command that only names a model does not need.
    from weak2strong.models.behaviour import behaviour

    return behaviour(config, trust_remote_code).decoder


def has_output_layer(config: Any) -> bool:
    """Whether a model's files hold a whole causal language model that Transformers knows."""
    from transformers.models.auto import modeling_auto as auto

    whole = auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.get(config.model_type)
    return whole is not None and whole == (config.architectures or [None])[0]


def load_config(spec: ModelSpec) -> Any:
    """A model's configuration.

    Raises:
        UserError: where Transformers cannot load it.
    """
    from transformers import AutoConfig

    of = beneath(spec)
    options = {"revision": of.revision, "trust_remote_code": spec.trust_remote_code}
    with loading(spec):
        return AutoConfig.from_pretrained(location_of(of), **options)


def load_tokenizer(spec: ModelSpec) -> Any:
    """A model's tokenizer, with a pad token, cutting texts where the model has no more positions.

    It holds the settings of what is read: how many tokens at most, and how chats are written.

    Raises:
        UserError: where Transformers cannot load it.
    """
    from transformers import AutoTokenizer

    location, revision = tokenizer_location(spec)
    options = {"revision": revision, "trust_remote_code": spec.trust_remote_code}
    with loading(spec):
        tokenizer = AutoTokenizer.from_pretrained(location, **options)
    config = load_config(spec)
    fit_tokenizer(tokenizer, config, spec.trust_remote_code)
    # What it is asked to read is kept with it, for `longest_read` and `settings_of`.
    tokenizer.read_length = longest_of(spec, config)
    keep_settings(tokenizer, spec)
    return tokenizer


@contextmanager
def loading(spec: ModelSpec) -> Iterator[None]:
    """Keep Transformers quiet, and make a sentence of what it cannot do."""
    from safetensors import SafetensorError

    hide_progress_bars()
    try:
        # Loading a trunk without its language-model head is what we want, not news.
        with quiet():
            yield
    except (OSError, ValueError, KeyError, ImportError, SafetensorError) as e:
        said = first_line(e)
        if isinstance(e, OSError) and "model.safetensors" in said:
            said = NOT_SAFE
        elif "tiktoken" in said and not _reads_sentencepiece():
            said = (
                "its tokenizer is a file of SentencePiece, which two packages read: install them "
                "by `pip install sentencepiece protobuf`."
            )
        elif isinstance(e, ImportError):
            said = _lacking(said)
        raise UserError(f"Model {spec.name!r} cannot be loaded: {said}") from e
    except RuntimeError as e:
        if "ignore_mismatched_sizes" not in str(e):
            raise
        raise UserError(
            f"Model {spec.name!r} cannot be loaded: its weights have other sizes than its "
            "config.json says, so take files that belong together."
        ) from e


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Transformers from saying what it would warn of."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _lacking(said: str) -> str:
    """What a model lacks that Transformers could not import something for; else what that said."""
    if "requires the timm library" in said:
        return "it is one of timm: install that by `pip install 'weak2strong[vision]'`."
    try:
        import torchvision  # noqa: F401  # pyright: ignore
    except ModuleNotFoundError:
        return said
    # A torchvision of another build of PyTorch fails when it registers its operators.
    except (ImportError, OSError, RuntimeError) as e:
        return (
            f"torchvision cannot be used ({first_line(e)}), as where it was built for another "
            "PyTorch than the one that is here: install both from the same place, or take "
            "torchvision out, which only models of timm need."
        )
    return said


def _reads_sentencepiece() -> bool:
    """Whether the packages are here by which Transformers reads tokenizers of SentencePiece."""
    from transformers.utils.import_utils import is_protobuf_available, is_sentencepiece_available

    return is_sentencepiece_available() and is_protobuf_available()


def hide_progress_bars() -> None:
    """Keep Transformers from drawing a bar for every file that it reads or writes."""
    from transformers.utils import logging

    logging.disable_progress_bar()
