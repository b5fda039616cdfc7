"""What the values of settings may be, and how flags are named that set them."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from weak2strong.config.settings import FROM_TEXT, RefusedError, shortened
from weak2strong.ground.file_names import no_path, shown_name


@dataclass(frozen=True)
class Flag:
    """How the flag of a setting differs from the usual one, which has the setting's name.

    Attributes:
        name: without dashes.
        metavar: what stands for the value in help texts.
        each: one flag for the supervisor and one for students and ceiling.
        both: with ``each``, also one for all of them.
        role: whose alone the setting is, "weak" or "strong"; empty where it is of all.
        positional: whether the value stands without a flag.
    """

    name: str | None = None
    metavar: str | None = None
    each: bool = False
    both: bool = False
    role: str = ""
    positional: bool = False


NO_FLAG = Flag("")
"""For a setting that flags reach by another way, such as the name of a model by --weak."""


LARGEST = 2**31 - 1
"""No number of examples, steps or seeds is larger."""


def _number(value: Any, info: ValidationInfo) -> Any:
    """YAML takes 1e-4 for text, for want of a point; a person means a number."""
    if info.context != FROM_TEXT or not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value


def _temperature(value: Any) -> Any:
    """A number above 0, also where it is written as text, or the word fit."""
    try:
        number = value if value == "fit" or isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number == "fit" or (isinstance(number, float) and 0 < number < math.inf):
        return number
    raise RefusedError(f"must be a number above 0, or fit, not {shortened(value)}.")


def _auto_count(value: Any) -> Any:
    """A whole number from 1, also where it is written as text, or the word auto."""
    number = int(value) if isinstance(value, str) and value.isdecimal() else value
    if number == "auto":
        return number
    if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= LARGEST:
        return number
    raise RefusedError(f"must be a whole number from 1, or auto, not {shortened(value)}.")


def _several(value: Any) -> Any:
    """A list as a tuple; one name or path stands for a list of one."""
    if isinstance(value, str | Path):
        return (value,)
    # A set has no order.
    listed = isinstance(value, Iterable) and not isinstance(
        value, Mapping | bytes | set | frozenset
    )
    return tuple(value) if listed else value


def _numbers(value: Any) -> Any:
    """A list of numbers as a tuple; one number stands for a list of one, and null for none."""
    if value is None:
        return ()
    return (value,) if isinstance(value, int | float) else _several(value)


def _writable(text: str) -> str:
    """Refuse characters that no file and no path can have."""
    try:
        sound = b"\0" not in text.encode()
    except UnicodeEncodeError:
        sound = False
    if not sound:
        raise RefusedError(
            f"must be text that can be written, not {text!r}; a file with such a name is reached "
            "by a link to it, or by its folder."
        )
    return text


def _nameable(text: str) -> str:
    """Refuse what no file and no folder can be called, alone or in a reference to one."""
    for part in re.split("[,=]", text):
        if wrong := no_path(part):
            raise RefusedError(f"must be a path, and {wrong}.")
    return text


def _reference(value: Any) -> Any:
    """A task, whose files may have names that are no UTF-8, as it can be written."""
    there = isinstance(value, str) and any(map(os.path.lexists, value.split(",")))
    return shown_name(value) if there else value


def _path(value: Any) -> Any:
    if not isinstance(value, str | Path) or not value:
        return value
    return Path(_nameable(_writable(str(value))))


def _text_or_file(value: Any) -> Any:
    """A text, or what stands in the file that it names."""
    if not isinstance(value, str | Path) or not os.path.isfile(os.path.expanduser(value)):
        named = isinstance(value, Path) or re.fullmatch(r"[.~]*/\S+|\S+\.(txt|md)", str(value))
        if named:
            raise RefusedError(f"must be a text or a file, and there is no file {value}.")
        return value
    try:
        text = Path(value).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as e:
        reason = e.strerror if isinstance(e, OSError) else "it is no text in UTF-8"
        raise RefusedError(
            f"must be a text or a file, and {value} cannot be read: {reason}."
        ) from e
    if not text:
        raise RefusedError(f"must be a text, and the file {value} is empty.")
    return text


def _json(value: Any) -> Any:
    """An object of JSON, or a mapping of such values, as JSON in one order of its names."""
    try:
        plain = json.loads(value) if isinstance(value, str) else value
        if isinstance(plain, Mapping) and all(isinstance(name, str) for name in plain):
            return json.dumps(dict(plain), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError):
        pass
    raise RefusedError(
        f'must be an object of JSON, such as {{"enable_thinking": false}}, not {shortened(value)}.'
    )


def _encoding(name: str) -> str:
    try:
        # Some codecs are of bytes or of texts alone; this call knows which.
        "".encode(name)
    except LookupError:
        raise RefusedError(
            f"must be an encoding that Python knows, such as latin-1, not {name!r}."
        ) from None
    return name


def _day(value: Any) -> Any:
    """A day, which YAML reads as a date, as year, month and day."""
    try:
        # A date of Python is written in this form, too.
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise RefusedError(f"must be a day such as 2024-07-26, not {shortened(value)}.") from None


Text = Annotated[str, Field(min_length=1), AfterValidator(_writable)]
Whole = Annotated[int, Field(ge=-LARGEST, le=LARGEST)]
Count = Annotated[int, Field(ge=1, le=LARGEST)]
Number = Annotated[float, BeforeValidator(_number)]
Encoding = Annotated[Text, AfterValidator(_encoding)]
Share = Annotated[Number, Field(ge=0, le=1)]
Counts = Annotated[tuple[Count, ...], BeforeValidator(_numbers)]
Shares = Annotated[tuple[Share, ...], BeforeValidator(_numbers)]
Positive = Annotated[Number, Field(gt=0)]
NotNegative = Annotated[Number, Field(ge=0)]
Temperature = Annotated[float | Literal["fit"], BeforeValidator(_temperature)]
AutoCount = Annotated[int | Literal["auto"], BeforeValidator(_auto_count)]
TextOrFile = Annotated[Text, BeforeValidator(_text_or_file)]
Json = Annotated[Text, BeforeValidator(_json)]
Day = Annotated[Text, BeforeValidator(_day)]
Name = Annotated[Text, AfterValidator(_nameable)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_several)]
Reference = Annotated[Name, BeforeValidator(_reference)]
References = Annotated[tuple[Reference, ...], BeforeValidator(_several)]
File = Annotated[Path, BeforeValidator(_path)]
Files = Annotated[tuple[File, ...], BeforeValidator(_several)]
several = BeforeValidator(_several)


def is_folder(name: str) -> bool:
    """Whether a folder has this name; False for names that no folder can have."""
    return os.path.isdir(os.path.expanduser(name))
