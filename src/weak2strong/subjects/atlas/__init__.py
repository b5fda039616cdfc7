"""The atlas: questions on cities, and the builder of models that have read of them."""

from weak2strong.ground.rooms import COMMANDS
from weak2strong.tasks import GROUPS, TASKS

_HERE = "weak2strong.subjects.atlas"


def _lines(module: str, names: str) -> dict[str, str]:
    """Lines for the tasks of a module, whose objects have the names in capitals."""
    return {
        f"atlas-{name}": f"{_HERE}.{module}:{name.upper().replace('-', '_')}"
        for name in names.split()
    }


ATTRIBUTES = _lines(
    "attributes",
    "asia europe africa americas southern tropics northerly easterly english spanish arabic euro "
    "dollar landlocked populous vast dense borders beside-china",
)
"""Does something hold of a city?"""

CLAIMS = _lines(
    "claim_tasks",
    "claim-country claim-continent claim-hemisphere claim-language claim-currency same-country",
)
"""Is a claim about one city or two true?"""

PAIRED = {
    "atlas-claim-continent-reworded": f"{_HERE}.claim_tasks:CONTINENT_REWORDED",
    "atlas-claim-continent-negated": f"{_HERE}.claim_tasks:CONTINENT_NEGATED",
}
"""Two claims about each city, which should have the same answer, or the opposite one."""

NOT_KNOWN = _lines("claim_tasks", "larger")
"""Controls, which no rung of the shipped ladder can do: all is chance there."""

IN_WORDS = _lines("generation", "generation generation-language generation-currency")
"""Tasks that are answered in words."""

PREFERENCES = _lines("preferences", "preference preference-hemisphere")
"""Which of two completions is better?"""

SUITE = (*ATTRIBUTES, *CLAIMS)
"""All tasks that a rung of the ladder can do, and that have classes."""

TASKS.enter(ATTRIBUTES | CLAIMS | PAIRED | NOT_KNOWN | IN_WORDS | PREFERENCES)
GROUPS.enter({"atlas-suite": f"{_HERE}:SUITE"})
COMMANDS.enter({"ladder": f"{_HERE}.ladder.commands:LADDER"})
