"""Bring models and data of the hub to this machine, so that all else runs without a network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Literal

from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.engine.sizes import has_own_elsewhere, tasks_here
from weak2strong.ground.download import (
    Download,
    Listing,
    cache_folder,
    fetch,
    free_bytes,
    listing,
    planned,
)
from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.ground.file_names import real_path
from weak2strong.ground.hub import What
from weak2strong.ground.plugins import load_plugins
from weak2strong.ground.progress import Progress
from weak2strong.models.catalogue import listed
from weak2strong.models.folders import KEPT_ABOUT, folder_of, shipped
from weak2strong.models.remote import ADAPTER, CONFIG, downloads_of
from weak2strong.protocol.resolve import splits_of
from weak2strong.protocol.usual import with_usual
from weak2strong.tasks import GROUPS, SOURCES, TASKS, expand
from weak2strong.tasks.card import NAME
from weak2strong.tasks.find import source_of
from weak2strong.tasks.hub import CONVERTED, located
from weak2strong.tasks.parts import three_files
from weak2strong.tasks.reading import names_data
from weak2strong.tasks.remote import parts_of
from weak2strong.tasks.source import Part

PREFIXES: dict[str, What] = {"models/": "model", "datasets/": "dataset"}
"""What an id of the hub is, where a user says so, as the addresses of the hub do."""


@dataclass
class Needs:
    """What is needed on this machine.

    Attributes:
        models: that are loaded.
        tasks: references of tasks and of what is tested on, with the options that they are read by.
    """

    models: list[ModelSpec] = field(default_factory=list)
    tasks: list[tuple[str, DataOptions]] = field(default_factory=list)

    def add_study(self, config: StudyConfig, models: Iterable[ModelSpec] = ()) -> None:
        """Add all that a study names.

        Args:
            config: the study.
            models: what it loads besides its weak and strong model, intermediates and supervisors.
        """
        load_plugins(config.plugins)
        models = tuple(models)
        if not models:
            here = tasks_here(config, references := expand(config.tasks))
            away = has_own_elsewhere(references, here)
            config = with_usual(config, here, splits_of, ask_hub=False, away=away).config
        named = (config.weak, config.strong, *(config.intermediates or ()), *config.supervisors)
        self.models += [*named, *models]
        tests = (config.data.test_on,) if config.data.test_on else ()
        self.tasks += [(reference, config.data) for reference in (*expand(config.tasks), *tests)]

    def add(self, reference: str, data: DataOptions) -> None:
        """Add a model or a task.

        Args:
            reference: as a user writes it; an id of the hub may have ``models/`` or ``datasets/``
                before it.
            data: the options that a task is read by.

        Raises:
            UserError: where there is neither, or both.
        """
        what, name = kind_of(reference)
        if what == "model":
            self.models.append(ModelSpec.parse(name))
        else:
            self.tasks += [(one, data) for one in expand((name,))]


@dataclass(frozen=True)
class FetchPlan:
    """What would be fetched.

    Attributes:
        downloads: a repository and commit each.
        here: what needs nothing of the hub, by name.
        folder: the hub's cache.
        free: bytes on its disk.
    """

    downloads: Sequence[Download]
    here: Sequence[tuple[What, str]]
    folder: Path
    free: int

    @property
    def bytes(self) -> int:
        """That have to be fetched."""
        return sum(download.bytes_missing for download in self.downloads)


def kind_of(reference: str) -> tuple[Literal["model", "task"], str]:
    """Whether a reference is a model or a task, and how a study names it.

    Raises:
        UserError: where it is neither, or the hub has both by this name.
    """
    path = real_path(reference)
    for prefix, what in PREFIXES.items():
        if reference.startswith(prefix) and not path.exists():
            return ("model" if what == "model" else "task"), reference.removeprefix(prefix)
    if reference in TASKS or reference in GROUPS or source_of(reference):
        return "task", reference
    spec = ModelSpec.parse(reference)
    if spec.name in shipped() or spec.name in listed():
        return "model", reference
    if (folder := folder_of(spec)) is not None:
        is_model = any((folder / name).is_file() for name in (CONFIG, ADAPTER, KEPT_ABOUT))
        return ("model" if is_model else "task"), reference
    if path.exists() or three_files(reference) or names_data(reference):
        return "task", reference
    return _kind_on_hub(spec), reference


def plan_fetch(needs: Needs) -> FetchPlan:
    """Look up what is needed of the hub, and what of it is here; nothing is downloaded.

    Raises:
        UserError: where something cannot be had.
    """
    found, here = list[Download](), list[tuple[What, str]]()
    models = {(spec.name, spec.revision, spec.trust_remote_code): spec for spec in needs.models}
    for spec in models.values():
        downloads = downloads_of(spec)
        found += downloads
        if not any(download.of.name == spec.name for download in downloads):
            here.append(("model", spec.name))
    parts = dict[Listing, set[str]]()
    for reference, data in dict.fromkeys(needs.tasks):
        own = parts_of(reference, data)
        for part in own:
            of, names = _files_of(part)
            parts.setdefault(of, set()).update(names)
        if not own:
            here.append(("dataset", reference))
    found += [planned(of, names) for of, names in parts.items()]
    whole = {(one.of.what, one.of.name, one.of.revision, one.of.commit): one for one in found}
    folder = cache_folder()
    return FetchPlan(list(whole.values()), list(dict.fromkeys(here)), folder, free_bytes(folder))


def _files_of(part: Part) -> tuple[Listing, list[str]]:
    """The repository of a part of a dataset, and the names of the files that reading it takes.

    It is looked into by its commit, so that its name in the cache stands for what it stood for
    before. Where its names say nothing, the hub's own copy is looked into, as in reading.
    """
    of = listing("dataset", part.repo, part.revision)
    try:
        return _at_commit(of, part)
    except UserError as error:
        if part.revision is not None:
            raise
        try:
            return _at_commit(listing("dataset", part.repo, CONVERTED), part)
        except UserError:
            raise error from error.__cause__


def _at_commit(of: Listing, part: Part) -> tuple[Listing, list[str]]:
    _, *more = astuple(replace(part, revision=of.commit))
    _, _, names = located(part.repo, *more)
    card = [NAME] if NAME in of.names else []
    return replace(of, names=()), [*names, *card]


def holds_adapters(download: Download) -> bool:
    """Whether a repository holds adapters of PEFT, which a study names by their folder."""
    return ADAPTER in download.sizes and CONFIG not in download.sizes


def fetch_all(plan: FetchPlan, progress: Progress) -> list[Path]:
    """Fetch what is not here.

    Returns:
        The folders of all downloads, in their order.

    Raises:
        UserError: where the disk has no room for it, or it cannot be had.
    """
    if plan.bytes > plan.free:
        raise UserError(
            f"{plan.bytes / 2**30:,.1f} GiB are to be fetched, and the disk of the hub's cache "
            f"({plan.folder}) has {plan.free / 2**30:,.1f} GiB free: set HF_HUB_CACHE to a folder "
            "on a larger disk, here and where the study runs."
        )
    folders = list[Path]()
    for number, download in enumerate(plan.downloads, start=1):
        of = download.of
        if download.missing:
            progress.line(
                f"{of.what} {of.name} at {of.commit[:12]}: {len(download.missing)} of "
                f"{len(download.sizes)} files, {download.bytes_missing / 2**20:,.1f} MiB "
                f"({number} of {len(plan.downloads)})"
            )
        # Where all files are here, a name may still stand for another commit.
        folders.append(fetch(download))
    return folders


def _kind_on_hub(spec: ModelSpec) -> Literal["model", "task"]:
    """Whether the hub has a model or a dataset by a name."""
    from huggingface_hub.errors import RepositoryNotFoundError

    found = list[What]()
    for what in PREFIXES.values():
        try:
            listing(what, spec.name, spec.revision)
        except UserError as e:
            # That it may not be read, or that the hub cannot be reached, is another error.
            if type(e.__cause__) is not RepositoryNotFoundError:
                raise
        else:
            found.append(what)
    if len(found) == 1:
        return "model" if found[0] == "model" else "task"
    if found:
        raise UserError(
            f"The hub has a model and a dataset {spec.name}: write models/{spec.name} or "
            f"datasets/{spec.name}."
        )
    if "/" not in spec.name:
        known = (*TASKS, *SOURCES, *GROUPS, *shipped(), *listed())
        raise unknown_name("model or task", spec.name, known, "See: w2s models, w2s tasks.")
    raise UserError(
        f"The Hugging Face hub has neither a model nor a dataset {spec.name}, or it is private: "
        "check the name, or log in with `hf auth login`."
    )
