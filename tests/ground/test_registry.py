"""A registry knows its names at no cost and imports an object when it is asked for."""

import subprocess
import sys

import pytest

from weak2strong.ground.errors import UserError
from weak2strong.ground.registry import Registry


def test_names_keep_their_order_and_lead_to_the_objects():
    registry = Registry("tool", {"sqrt": "math:sqrt", "join": "os.path:join"})
    assert list(registry) == ["sqrt", "join"]
    assert "sqrt" in registry
    assert "cos" not in registry
    assert registry.get("sqrt")(9) == 3


def test_only_the_asked_entry_is_imported():
    # `this` prints when it is imported; the broken line harms nobody who does not ask for it.
    code = (
        "from weak2strong.ground.registry import Registry;"
        "r = Registry('x', {'a': 'math:pi', 'b': 'this:s', 'c': 'no.such:thing'});"
        "assert list(r) == ['a', 'b', 'c'] and r.get('a') > 3"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert done.stdout == b""


def test_an_unknown_name_is_a_sentence():
    registry = Registry("loss", {"confidence": "math:pi"}, hint="See the list.")
    with pytest.raises(UserError, match=r"^Unknown loss 'confidense': did you mean confidence\? S"):
        registry.get("confidense")


def test_later_changes_of_the_given_table_do_not_reach_the_registry():
    entries = {"pi": "math:pi"}
    registry = Registry("number", entries)
    entries["e"] = "math:e"
    assert list(registry) == ["pi"]


def test_registered_lines_all_lead_somewhere():
    from weak2strong.losses import LOSSES
    from weak2strong.methods import METHODS
    from weak2strong.probes import PROBES
    from weak2strong.tasks import TASKS

    for registry in (LOSSES, METHODS, PROBES, TASKS):
        names = list(registry)
        assert names
        for name in names:
            assert registry.get(name) is not None


def test_settings_are_those_of_the_dataclass():
    registry = Registry("spec", {"model": "weak2strong.config.model:ModelSpec"})
    assert registry.build("model", {"name": "atlas-s", "lora_rank": 4}).lora_rank == 4
    with pytest.raises(UserError, match=r"setting of the spec 'model' 'lora_rang': .*lora_rank"):
        registry.build("model", {"name": "atlas-s", "lora_rang": 4})
