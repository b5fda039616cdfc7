"""From YAML that anybody may have written to plain values, or to one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

import yaml
from yaml.constructor import ConstructorError
from yaml.error import MarkedYAMLError

from weak2strong.config.settings import shortened
from weak2strong.ground.errors import UserError, first_line

MOST = 100_000
"""Values in a text, those behind aliases counted wherever an alias stands."""
MERGE = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """PyYAML's loader of plain values, with its own errors only."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        """The values by their keys; of a key that stands twice one value would be lost."""
        known = set()
        for key, _ in node.value:
            name = (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else None
            if name in known and key.tag != MERGE:
                said = f"the key {shortened(key.value)} stands twice in a mapping"
                raise ConstructorError(None, None, said, key.start_mark)
            known.add(name)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """The value of a node; a tag or a form that its text does not have is an error of YAML."""
        try:
            return super().construct_object(node, deep)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as e:
            said = f"{shortened(node.value)} is no value of its kind"
            raise ConstructorError(None, None, said, node.start_mark) from e


def read_mapping(text: str | bytes, noun: str) -> Mapping[Any, Any]:
    """The mapping that a YAML text is.

    Args:
        text: as it stands in a file.
        noun: what the text is, with an article, such as ``"a study"``.

    Raises:
        UserError: for text that is no mapping, cannot be read, or holds too much.
    """
    whole = noun.capitalize()
    try:
        loader = _Loader(text.decode("utf-8-sig") if isinstance(text, bytes) else text)
        node = loader.get_single_node()
        if node is not None and _size(node, {}) > MOST:
            raise UserError(f"{whole} has at most {MOST} values, with aliases written out.")
        plain = loader.construct_document(node) if node is not None else None
    except UnicodeDecodeError as e:
        raise UserError(f"{whole} must be UTF-8 text, and this is not: save it as UTF-8.") from e
    except RecursionError as e:
        raise UserError(f"{whole} has fewer brackets inside each other than this.") from e
    except MarkedYAMLError as e:
        line = f"line {e.problem_mark.line + 1}: " if e.problem_mark else ""
        raise UserError(f"{whole} is YAML, and this is no YAML: {line}{e.problem}.") from e
    except yaml.YAMLError as e:
        raise UserError(f"{whole} is YAML, and this is no YAML: {first_line(e)}.") from e
    if not isinstance(plain, dict):
        raise UserError(
            f"{whole} is a YAML mapping, such as `tasks: [atlas-asia]`, not {shortened(plain)}."
        )
    return plain


def read_listed(text: bytes) -> Mapping[Any, Any]:
    """The mapping in a study file, for a list of many: ten times as quick, and told in few words.

    Raises:
        UserError: for text that is no mapping, or cannot be read.
    """
    # The loader in C, which not every PyYAML has.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        plain = yaml.load(text, loader)  # noqa: S506 (both loaders make plain values alone)
    except (yaml.YAMLError, ValueError, RecursionError) as e:
        raise UserError("cannot be read") from e
    if not isinstance(plain, dict):
        raise UserError("is no study")
    return plain


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a node holds, those behind its aliases included.

    Raises:
        MarkedYAMLError: for an alias that stands in what it stands for.
    """
    if id(node) not in known:
        known[id(node)] = 0
        parts = node.value if isinstance(node, yaml.CollectionNode) else ()
        if isinstance(node, yaml.MappingNode):
            parts = chain.from_iterable(node.value)
        known[id(node)] = 1 + sum(_size(part, known) for part in parts)
    elif not known[id(node)]:
        said = "an alias stands in what it stands for"
        raise ConstructorError(None, None, said, node.start_mark)
    return known[id(node)]
