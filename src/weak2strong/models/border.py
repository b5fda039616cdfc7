"""The border of models: what Transformers and its libraries raise becomes a sentence, here alone.

Behind it is a user's model: its configuration, tokenizer, image processor and weights, which can
make these libraries fail in any way. An error of our own code is none of the model's, and passes.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError, first_line
from weak2strong.models.file_faults import AGAIN, SENSELESS, Part, fault_of, named_weights

NOT_SAFE = (
    "its weights are neither in the form safetensors nor in pytorch_model.bin, as other files "
    "can run code. Where you trust them, load model and tokenizer with Transformers, save both to "
    "a folder with save_pretrained, and give that folder."
)
"""What is said of weights in other forms."""

OURS = Path(__file__).parents[1]
"""The folder of this package."""

LIBRARIES = ("transformers", "transformers_modules", "peft", "timm", "bitsandbytes")
"""Folders of the code of models."""


@contextmanager
def loading(spec: ModelSpec, part: Part = "weights") -> Iterator[None]:
    """Keep Transformers quiet, and make a sentence of what it cannot do.

    Args:
        spec: the model.
        part: what of it is read.

    Raises:
        UserError: in place of whatever the libraries raise; it names the model and the file.
    """
    hide_progress_bars()
    try:
        # Loading a trunk without its language-model head is what we want, not news.
        with quiet():
            yield
    except UserError:
        raise
    # What a model's files say can fail in any way, and tokenizers panic past Exception.
    except BaseException as e:
        if _passes(e):
            raise
        raise UserError(f"Model {spec.name!r} cannot be loaded: {_why(spec, part, e)}") from e


def _passes(error: BaseException) -> bool:
    """Whether an error is none of the model's: ours, a lack of memory, or a request to stop."""
    panic = type(error).__name__ == "PanicException"
    if not isinstance(error, Exception):
        return not panic
    return lacks_memory(error) or is_ours(error)


def lacks_memory(error: BaseException) -> bool:
    """Whether a lack of memory caused an error; by its name, as PyTorch need not be imported."""
    name = type(error).__name__
    return (
        isinstance(error, MemoryError)
        or name == "OutOfMemoryError"
        or "allocate memory" in str(error)
    )


def is_ours(error: BaseException) -> bool:
    """Whether our own code raised an error, and neither a model nor a library that was called."""
    files = [Path(f.f_code.co_filename) for f, _ in traceback.walk_tb(error.__traceback__)]
    of_models = any(library in file.parts for file in files for library in LIBRARIES)
    return bool(files) and files[-1].is_relative_to(OURS) and not of_models


def _why(spec: ModelSpec, part: Part, error: BaseException) -> str:
    """What kept a model from being loaded: the fault of a file, or else what was raised."""
    said = said_by(error)
    if fault := fault_of(spec, part):
        return f"{fault}: {AGAIN}."
    if isinstance(error, OSError) and "model.safetensors" in said:
        return NOT_SAFE
    if "tiktoken" in said and not _reads_sentencepiece():
        return (
            "its tokenizer is a file of SentencePiece, which two packages read: install them "
            "by `pip install sentencepiece protobuf`."
        )
    if "ignore_mismatched_sizes" in str(error):
        return (
            f"{named_weights(spec)} has weights of other sizes than its config.json says, so take "
            "files that belong together."
        )
    if isinstance(error, ImportError):
        return _lacking(said)
    if isinstance(error, OSError):
        return said
    return f"{SENSELESS[part]} ({said}): {AGAIN}, or choose another one."


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


def said_by(error: BaseException) -> str:
    """What an error says in one line, without the names that Python has for errors."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if isinstance(error, KeyError):
        return f"nothing is known by the name {lines[0] if lines else None}"
    if not lines:
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
    # The checks of configurations tell on the second line what the first one announces.
    told = " ".join(lines[:2]) if lines[0].endswith(":") and len(lines) > 1 else lines[0]
    return re.sub(r"\b\w+(Error|Exception): ", "", told).replace("<class '", "'").replace("'>", "'")


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


def hide_progress_bars() -> None:
    """Keep Transformers from drawing a bar for every file that it reads or writes."""
    from transformers.utils import logging

    logging.disable_progress_bar()


def _reads_sentencepiece() -> bool:
    """Whether the packages are here by which Transformers reads tokenizers of SentencePiece."""
    from transformers.utils.import_utils import is_protobuf_available, is_sentencepiece_available

    return is_sentencepiece_available() and is_protobuf_available()
