"""The pair of a study of a user's own texts that names no models.

The embedded ladder has read geography alone, so that on other texts it learns next to nothing. So
it is asked first (see `weak2strong.protocol.foreknowledge`), on this machine and in a second. Where
it does not clearly know them, a pair of the hub is taken: one that the hub's cache has, or else a
small one that is downloaded, which is said before with its size. Where the hub must not be asked,
or cannot be reached, the study ends with a sentence: nobody wants a table of noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from weak2strong.config.model import ModelSpec, Unnamed
from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError
from weak2strong.models.folders import rungs
from weak2strong.models.usual import SPEED, HubPair, hub_pair
from weak2strong.protocol.asked_model import read_and_told
from weak2strong.protocol.choice import ROLES
from weak2strong.protocol.foreknowledge import Foreknowledge, sample_of
from weak2strong.tasks.files import FileTask
from weak2strong.tasks.inputs import SORTS
from weak2strong.tasks.splits import Splits, digest
from weak2strong.tasks.task import Task

SplitsOf = Callable[[StudyConfig, Task], Splits]
"""Gives the splits of a task of a study (see `weak2strong.protocol.resolve.splits_of`)."""

NOBODY_NAMED = "No model is named"


@dataclass(frozen=True)
class Paired:
    """A study whose pair is decided.

    Attributes:
        config: the study.
        said: why this pair was taken, where nobody named it; empty elsewhere.
        downloads: whether some of it is to be downloaded.
    """

    config: StudyConfig
    said: str = ""
    downloads: bool = False


def with_pair_of_texts(
    config: StudyConfig,
    tasks: Sequence[Task],
    splits_of: SplitsOf,
    ask_hub: bool,
    away: bool = False,
) -> Paired:
    """The study, with a pair that suits texts of the user's own, where it names none.

    Args:
        config: the study.
        tasks: those of its tasks that are on this machine.
        splits_of: gives the splits of a task of the study.
        ask_hub: whether what is missing may be looked up and fetched; else it is only told.
        away: whether it has tasks of the user's own that are not on this machine.

    Raises:
        UserError: where the ladder does not clearly know the texts, and no other pair can be had.
    """
    own = [t for t in tasks if isinstance(t, FileTask) and SORTS[t.inputs].has_words]
    if len(own) < len(tasks):
        # Registered tasks beside them have the ladder for their pair.
        return Paired(config)
    unnamed = [role for role in ROLES if isinstance(getattr(config, role), Unnamed)]
    named = [getattr(config, role).name for role in ROLES if role not in unnamed]
    given = config.given_labels and "strong" not in unnamed
    if not (own or away) or not unnamed or given or set(named) & set(rungs()):
        return Paired(config)
    asked = [_asked(config, task, splits_of) for task in own]
    if not away and all(found is not None and found.knows for found in asked):
        about = "; ".join(f"{f.task}: {f.numbers}" for f in asked if f)
        names = " and ".join(getattr(config, role).name for role in unnamed)
        return Paired(
            config,
            f"{NOBODY_NAMED}. The embedded ladder knows something of these texts ({about}). So "
            f"{names} of it {'is' if len(unnamed) == 1 else 'are'} taken.",
        )
    return _of_hub(config, unnamed, _why(own, asked), ask_hub)


def _asked(config: StudyConfig, task: Task, splits_of: SplitsOf) -> Foreknowledge | None:
    """What the student of the ladder knows of a task; None where that cannot be told."""
    task = task.about(config.entities)
    model = ModelSpec(config.strong.name if isinstance(config.strong, Unnamed) else rungs()[-1])
    sample = sample_of(model, task, splits_of(config, task).weak_train, "cpu")
    if not sample:
        return None
    of = (model.name, task.name, digest(sample))
    if of not in _KNOWN:
        from weak2strong.models.loaded import on_cpu

        with on_cpu():
            _KNOWN[of] = read_and_told(model, task, sample)
    return _KNOWN[of]


_KNOWN = dict[tuple[str, str, str], Foreknowledge]()
"""What this process has found out, by model, task and digest of the sample."""


def _why(own: Sequence[Task], asked: Sequence[Foreknowledge | None]) -> str:
    """Why the ladder is not taken, as a clause."""
    ladder = "the embedded ladder, which has read only geography,"
    for task, found in zip(own, asked, strict=True):
        if found is None:
            return f"{ladder} cannot show that it knows anything of {task.name}"
        if not found.knows:
            return f"{ladder} does not clearly know the texts of {task.name} ({found.numbers})"
    return f"{ladder} cannot be asked about data that are not here"


def _of_hub(config: StudyConfig, unnamed: Sequence[Any], why: str, ask_hub: bool) -> Paired:
    """The study with a pair of the hub.

    Raises:
        UserError: where it is not here and cannot be had.
    """
    from huggingface_hub import constants

    from weak2strong.models.loaded import best_device
    from weak2strong.models.needs import usable_bytes

    device = best_device()
    pair = hub_pair(device.type, usable_bytes(device))
    wanted = tuple(dict.fromkeys(getattr(pair, role) for role in unnamed))
    pair = replace(pair, missing=tuple(name for name in pair.missing if name in wanted))
    size, known = pair.estimated, False
    if pair.missing and ask_hub:
        try:
            size, known = pair.told_by_hub(), True
        except UserError as e:
            raise UserError(_refused(why, pair, constants.HF_HUB_OFFLINE, str(e))) from e
    for role in unnamed:
        model: Unnamed = getattr(config, role)
        config = replace(config, **{role: model.named(getattr(pair, role))})
    if config.given_labels:
        # Nobody trains it; the strong one is as good a name as any.
        config = replace(config, weak=config.strong)
    names = " and ".join(wanted)
    downloaded = _downloaded(pair, size, known, ask_hub)
    said = (
        f"{NOBODY_NAMED}. {why[:1].upper()}{why[1:]}. So {names} of the hub "
        f"{'is' if len(wanted) == 1 else 'are'} taken ({pair.licence}; chosen by size and licence, "
        f"and not measured here). {downloaded[:1].upper()}{downloaded[1:]}."
    )
    return Paired(config, said, bool(pair.missing))


def _downloaded(pair: HubPair, size: int, known: bool, ask_hub: bool) -> str:
    """What has to be fetched, as a clause."""
    if not pair.missing:
        return "the hub's cache has all of it, and --weak and --strong name others"
    about = "" if known else "about "
    minutes = max(1, round(size / SPEED / 60))
    what = f"{about}{size / 1e6:,.0f} MB"
    time = f"some {minutes} min at {SPEED / 1e6:.0f} MB/s, which is an estimate"
    if ask_hub:
        return (
            f"{what} are now downloaded from the Hugging Face hub ({time}): Ctrl-C stops that, and "
            "--weak and --strong name others"
        )
    return (
        f"a run downloads {what} before it trains ({time}), where the hub can be reached; `w2s "
        f"fetch {' '.join(pair.missing)}` does it now, and --weak and --strong name others"
    )


def _refused(why: str, pair: HubPair, offline: bool, error: str) -> str:
    """Why no pair can be had, and what to do, as a sentence."""
    names = " ".join(pair.missing)
    cause = "offline mode is set" if offline else f"the hub gives none ({error.rstrip('.')})"
    return (
        f"{NOBODY_NAMED}, {why}, and {cause}: run `w2s fetch {names}` (about "
        f"{pair.estimated / 1e6:,.0f} MB) where there is a network and then this once more, name "
        f"models that are here (--weak, --strong), or take the ladder on purpose: --weak "
        f"{rungs()[1]} --strong {rungs()[-1]}."
    )
