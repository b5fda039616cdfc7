"""Settings without their checks, for machines on which Pydantic is not installed.

The package checks what a user sets by Pydantic. A benchmark sets what it knows to be right, so on a
machine without it (an image with PyTorch and Transformers and no package index) the classes of
settings can be plain dataclasses: nothing else of the package needs Pydantic.
"""

import dataclasses
import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def installed(name: str) -> bool:
    """Whether a package can be imported."""
    try:
        return find_spec(name) is not None
    except (ModuleNotFoundError, ValueError):
        return False


class _Filled:
    """What sets the fields of an object, as Pydantic's validator does, but checks nothing."""

    def validate_python(self, content: tuple, self_instance: Any, context: object = None) -> Any:
        _, named = content
        for field in dataclasses.fields(self_instance):
            made = field.default_factory
            value = field.default if made is dataclasses.MISSING else made()
            object.__setattr__(self_instance, field.name, named.get(field.name, value))
        if hasattr(self_instance, "__post_init__"):
            self_instance.__post_init__()
        return self_instance


def _dataclass(frozen: bool, config: object) -> Any:
    def decorate(cls: type) -> type:
        made: Any = dataclasses.dataclass(frozen=frozen)(cls)
        made.__pydantic_complete__, made.__pydantic_validator__ = True, _Filled()
        return made

    return decorate


def _ignored(*values: object, **named: object) -> object:
    """Something that stands in an annotation and says nothing."""
    return object()


def without_pydantic() -> bool:
    """Put a stand-in in Pydantic's place where it is not installed; returns whether it did."""
    if installed("pydantic"):
        return False
    pydantic, dataclass, core = map(
        ModuleType, ("pydantic", "pydantic.dataclasses", "pydantic_core")
    )
    for name in ("AfterValidator", "BeforeValidator", "Field", "ConfigDict"):
        setattr(pydantic, name, _ignored)
    content: Any = {"ValidationError": type("ValidationError", (Exception,), {})}
    vars(pydantic).update(content, ValidationInfo=object)
    vars(dataclass).update(dataclass=_dataclass, rebuild_dataclass=_ignored)
    vars(core).update(ArgsKwargs=lambda values, named: (values, named))
    sys.modules |= {module.__name__: module for module in (pydantic, dataclass, core)}
    return True
