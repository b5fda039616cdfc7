"""Versions of Python and of packages, beside those that are allowed and those that were tested."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement

from weak2strong.engine.doctor.finding import Finding

TESTED = {
    "torch": "2.13.0",
    "transformers": "5.23.0",
    "peft": "0.21.2",
    "huggingface_hub": "2.4.0",
    "tokenizers": "0.23.3",
    "safetensors": "0.8.0",
    "sentencepiece": "0.2.3",
    "protobuf": "7.36.2",
    "numpy": "2.4.6",
    "scipy": "1.17.1",
    "scikit-learn": "1.9.1",
    "polars": "2.1.0",
    "pyarrow": "26.0.1",
    "filelock": "4.2.11",
    "packaging": "26.3",
    "pydantic": "2.14.3",
    "pyyaml": "6.0.3",
    "rich": "15.0.0",
    "tyro": "1.0.17",
    "jinja2": "3.1.6",
    "matplotlib": "3.11.2",
    "pillow": "13.0.0",
    "ray": "2.60.0",
    "bitsandbytes": "0.50.2",
    "timm": "1.0.31",
}
"""The versions of ``constraints.txt``, of what this package asks for by itself or by an extra."""

EXTRAS = {
    "ray": ("ray", "--engine ray"),
    "bitsandbytes": ("quant", "weights of 4 and 8 bits"),
    "timm": ("vision", "models of timm"),
}
"""Packages that an extra brings: its name, and what they are for."""


def packages() -> Iterator[Finding]:
    """A line about Python, and one about each package."""
    yield Finding("Python", platform.python_version())
    ranges = _ranges()
    for name, tested in TESTED.items():
        yield _package(name, tested, ranges.get(name))


def _package(name: str, tested: str, allowed: Requirement | None) -> Finding:
    """How a package is here, and how it was tested."""
    install = f'pip install "{name}=={tested}"'
    try:
        installed = version(name)
    except PackageNotFoundError:
        if name in EXTRAS:
            extra, use = EXTRAS[name]
            todo = f'only for {use}: pip install "weak2strong[{extra}]"'
            return Finding(name, "not installed", todo=todo)
        return Finding(name, "not installed", "problem", install)
    if allowed is not None and not allowed.specifier.contains(installed, prereleases=True):
        said = f"{installed}, and {allowed.specifier} is needed"
        return Finding(name, said, "problem", install)
    # What a build is for stands behind a plus.
    if installed.partition("+")[0] == tested:
        return Finding(name, f"{installed}, as tested")
    return Finding(name, f"{installed}, tested with {tested}", todo=f"if it fails: {install}")


def _ranges() -> dict[str, Requirement]:
    """What this package asks for, by name; nothing where it is not installed."""
    try:
        asked = [Requirement(line) for line in requires("weak2strong") or ()]
    except PackageNotFoundError:
        return {}
    return {one.name: one for one in asked}
