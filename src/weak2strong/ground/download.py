"""Files of the Hugging Face hub that are brought here before a network is missing.

`huggingface_hub` downloads, checks and keeps them in its cache, where Transformers and our own
readers look. A file that is there as a whole is not fetched again.
"""

from __future__ import annotations

import glob
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from weak2strong.ground.errors import UserError
from weak2strong.ground.hub import What, refusal

if TYPE_CHECKING:
    from huggingface_hub import DryRunFileInfo

AT_A_TIME = 8
"""Files that the hub is asked about at once."""


@dataclass(frozen=True)
class Listing:
    """A repository of the hub at one commit.

    Attributes:
        what: it holds.
        name: its id.
        revision: branch, tag or commit that was asked for; None for the default branch.
        commit: that this is now.
        names: of all its files.
    """

    what: What
    name: str
    revision: str | None
    commit: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Download:
    """Files of a repository that are wanted here.

    Attributes:
        of: the repository.
        sizes: bytes of each file by name; 0 where the hub does not tell.
        missing: names of those that are not here.
    """

    of: Listing
    sizes: Mapping[str, int]
    missing: frozenset[str]

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(self.sizes.values())

    @property
    def bytes_missing(self) -> int:
        """Of those that are not here."""
        return sum(self.sizes[name] for name in self.missing)


def listing(what: What, name: str, revision: str | None = None) -> Listing:
    """The files that a repository has on the hub, and its commit.

    Raises:
        UserError: where there is no such repository or revision, or the hub cannot be reached.
    """
    from huggingface_hub import HfApi

    check_online()
    ask = HfApi().model_info if what == "model" else HfApi().dataset_info
    try:
        info = ask(name, revision=revision)
    # The errors of a missing network are those of the HTTP library beneath, which has changed
    # more than once: so anything is taken for one that is not known.
    except Exception as e:
        raise refusal(what, name, revision, e) from e
    names = tuple(file.rfilename for file in info.siblings or ())
    return Listing(what, name, revision, str(info.sha), names)


def check_online() -> None:
    """Refuse to look on the hub where the user has forbidden it.

    Raises:
        UserError: in the hub's offline mode.
    """
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise UserError(
            "Offline mode is set, and fetching needs the hub: unset HF_HUB_OFFLINE for this "
            "command, on a machine that has a network."
        )


def planned(of: Listing, names: Iterable[str]) -> Download:
    """What fetching some files of a repository takes; nothing is downloaded.

    Raises:
        UserError: where this machine may not have them, or the hub cannot be reached.
    """
    from huggingface_hub import hf_hub_download

    def about(name: str) -> DryRunFileInfo:
        # By the commit, so that nothing is written into the cache.
        return hf_hub_download(of.name, name, repo_type=of.what, revision=of.commit, dry_run=True)

    try:
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            files = list(pool.map(about, sorted(set(names))))
    except Exception as e:
        raise refusal(of.what, of.name, of.revision, e) from e
    sizes = {file.filename: file.file_size or 0 for file in files}
    return Download(of, sizes, frozenset(file.filename for file in files if file.will_download))


def fetch(download: Download) -> Path:
    """Bring the files here, and let the cache know the revision by the name that the user has.

    Returns:
        The folder of the commit in the hub's cache.

    Raises:
        UserError: where they cannot be had. What has arrived as a whole stays.
    """
    from huggingface_hub import snapshot_download

    of, patterns = download.of, [glob.escape(name) for name in download.sizes]

    def get(revision: str | None) -> Path:
        return Path(
            snapshot_download(
                of.name, repo_type=of.what, revision=revision, allow_patterns=patterns
            )
        )

    try:
        folder = get(of.commit)
        # Only then: until all is here, the name stands for what it stood for before.
        named = folder if of.revision == of.commit else get(of.revision)
    except Exception as e:
        raise refusal(of.what, of.name, of.revision, e) from e
    if named != folder:
        raise UserError(
            f"{of.what.capitalize()} {of.name} changed while it was fetched: run the same command "
            "again."
        )
    return folder


def content(of: Listing, name: str) -> bytes:
    """A small file of a repository, which is not kept.

    Raises:
        UserError: where it cannot be had.
    """
    from huggingface_hub import hf_hub_download

    with tempfile.TemporaryDirectory() as folder:
        try:
            path = hf_hub_download(
                of.name, name, repo_type=of.what, revision=of.commit, cache_dir=folder
            )
        except Exception as e:
            raise refusal(of.what, of.name, of.revision, e) from e
        return Path(path).read_bytes()


def cache_folder() -> Path:
    """Where the hub's library keeps files."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def free_bytes(folder: Path) -> int:
    """Free space on the disk of a folder, which need not be there yet."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    return shutil.disk_usage(there).free
