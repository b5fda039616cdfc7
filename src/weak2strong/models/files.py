"""Whether the files of a model are there and whole, found without reading its weights."""

from __future__ import annotations

from pathlib import Path

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.beneath import adapters_of, beneath
from weak2strong.models.border import NOT_SAFE, loading
from weak2strong.models.configuration import load_config
from weak2strong.models.counts import check_counts
from weak2strong.models.few_bits import import_quietly
from weak2strong.models.file_faults import AGAIN, INDEX, WEIGHTS, fault_of_weights, weight_files
from weak2strong.models.folders import folder_of
from weak2strong.models.hub import cached_file
from weak2strong.models.image_types import is_weights_file
from weak2strong.models.merged import check_adapters
from weak2strong.models.pickled import PICKLED, PICKLED_INDEX


def check_files(spec: ModelSpec, here: bool = True) -> None:
    """Refuse a model whose weights cannot be read, as far as its files tell that.

    Of adapters the model beneath counts, too. Pickles are not opened here. Of a model of the hub
    that is not on this machine yet, nothing is fetched: only offline it is refused.

    Args:
        spec: the model.
        here: whether it is used on this machine; otherwise one of the hub need not be here.

    Raises:
        UserError: where files are missing or cut off, or a package that they need is.
    """
    if is_weights_file(spec):
        # It is one file, which is read as a whole.
        return
    _check_package(spec)
    for adapters in adapters_of(spec):
        check_adapters(adapters)
    spec = beneath(spec)
    folder, of_hub = folder_of(spec), folder_of(spec) is None
    if folder is None:
        config = cached_file(spec, "config.json")
        folder = config.parent if config else Path()
    try:
        names = weight_files(folder)
    except ValueError as e:
        raise UserError(f"Model {spec.name!r} cannot be loaded: {e}: {AGAIN}.") from e
    if not names and any((folder / name).exists() for name in (PICKLED, PICKLED_INDEX)):
        # They are opened by a process of their own, when the model is loaded.
        return
    missing = [name for name in names if not (folder / name).exists()]
    if of_hub and (missing or not names):
        return _check_offline(spec, missing) if here else None
    if not names:
        pickled = any(folder.glob("*.bin"))
        said = NOT_SAFE if pickled else f"its folder has neither {WEIGHTS} nor {INDEX}."
        raise UserError(f"Model {spec.name!r} cannot be loaded: {said}")
    if fault := fault_of_weights(folder):
        raise UserError(f"Model {spec.name!r} cannot be loaded: {fault}: {AGAIN}.")
    check_counts(spec, folder, names)


def _check_offline(spec: ModelSpec, missing: list[str]) -> None:
    """Refuse a model of the hub whose weights are not here, where they cannot be fetched."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise UserError(
            f"Model {spec.name!r} cannot be loaded: its weights ({', '.join(missing) or WEIGHTS}) "
            "are not in the hub's cache, and offline mode is set: unset HF_HUB_OFFLINE, or fetch "
            "the model first."
        )


def _check_package(spec: ModelSpec) -> None:
    """Refuse quantised weights whose package is not installed."""
    told = getattr(load_config(spec), "quantization_config", None)
    if told is None:
        return
    from transformers.quantizers.auto import AutoHfQuantizer

    import_quietly()
    with loading(spec):
        AutoHfQuantizer.from_config(told, pre_quantized=True).validate_environment(
            device_map=None, weights_only=True
        )
