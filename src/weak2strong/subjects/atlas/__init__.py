"""The atlas: questions on cities, and the builder of models that have read of them."""

from weak2strong.ground.rooms import COMMANDS
from weak2strong.tasks import GROUPS, TASKS

_HERE = "weak2strong.subjects.atlas"

ATTRIBUTES = {
    "atlas-asia": f"{_HERE}.attributes:ASIA",
    "atlas-europe": f"{_HERE}.attributes:EUROPE",
    "atlas-africa": f"{_HERE}.attributes:AFRICA",
    "atlas-americas": f"{_HERE}.attributes:AMERICAS",
    "atlas-southern": f"{_HERE}.attributes:SOUTHERN",
    "atlas-tropics": f"{_HERE}.attributes:TROPICS",
    "atlas-northerly": f"{_HERE}.attributes:NORTHERLY",
    "atlas-easterly": f"{_HERE}.attributes:EASTERLY",
    "atlas-english": f"{_HERE}.attributes:ENGLISH",
    "atlas-spanish": f"{_HERE}.attributes:SPANISH",
    "atlas-arabic": f"{_HERE}.attributes:ARABIC",
    "atlas-euro": f"{_HERE}.attributes:EURO",
    "atlas-dollar": f"{_HERE}.attributes:DOLLAR",
    "atlas-landlocked": f"{_HERE}.attributes:LANDLOCKED",
    "atlas-populous": f"{_HERE}.attributes:POPULOUS",
    "atlas-vast": f"{_HERE}.attributes:VAST",
    "atlas-dense": f"{_HERE}.attributes:DENSE",
    "atlas-borders": f"{_HERE}.attributes:BORDERS",
    "atlas-beside-china": f"{_HERE}.attributes:BESIDE_CHINA",
}
"""Does something hold of a city?"""

CLAIMS = {
    "atlas-claim-country": f"{_HERE}.claim_tasks:CLAIM_COUNTRY",
    "atlas-claim-continent": f"{_HERE}.claim_tasks:CLAIM_CONTINENT",
    "atlas-claim-hemisphere": f"{_HERE}.claim_tasks:CLAIM_HEMISPHERE",
    "atlas-claim-language": f"{_HERE}.claim_tasks:CLAIM_LANGUAGE",
    "atlas-claim-currency": f"{_HERE}.claim_tasks:CLAIM_CURRENCY",
    "atlas-same-country": f"{_HERE}.claim_tasks:CLAIM_SAME_COUNTRY",
}
"""Is a claim about a city true?"""

NOT_KNOWN = {"atlas-larger": f"{_HERE}.claim_tasks:CLAIM_LARGER"}
"""Controls, which no rung of the shipped ladder can do: all is chance there."""

IN_WORDS = {
    "atlas-generation": f"{_HERE}.generation:COUNTRY",
    "atlas-generation-language": f"{_HERE}.generation:LANGUAGE",
    "atlas-generation-currency": f"{_HERE}.generation:CURRENCY",
}
"""Tasks that are answered in words."""

PREFERENCES = {
    "atlas-preference": f"{_HERE}.preferences:CONTINENT",
    "atlas-preference-hemisphere": f"{_HERE}.preferences:HEMISPHERE",
}
"""Which of two completions is better?"""

SUITE = (*ATTRIBUTES, *CLAIMS)
"""All tasks that a rung of the ladder can do, and that have classes."""

TASKS.enter(ATTRIBUTES | CLAIMS | NOT_KNOWN | IN_WORDS | PREFERENCES)
GROUPS.enter({"atlas-suite": f"{_HERE}:SUITE"})
COMMANDS.enter({"ladder": f"{_HERE}.ladder.commands:LADDER"})
