"""What is asked: tasks, their examples, and how these are split."""

from collections.abc import Mapping, Sequence

from weak2strong.ground.registry import Registry
from weak2strong.subjects.literature import BURNS, ELEUTHER, PREFERENCES

_ATTRIBUTES = "weak2strong.subjects.atlas.attributes"
_CLAIMS = "weak2strong.subjects.atlas.claim_tasks"
_GENERATION = "weak2strong.subjects.atlas.generation"
_CHESS = "weak2strong.subjects.chess.questions"
_MATES = "weak2strong.subjects.chess.mates"
_PREFERENCES = "weak2strong.subjects.atlas.preferences"

HINT = "`w2s tasks` lists them all; a file ends in .jsonl, .csv or .parquet."
"""What an unknown name is told."""

TASKS = Registry(
    "task",
    {
        "atlas-asia": f"{_ATTRIBUTES}:ASIA",
        "atlas-europe": f"{_ATTRIBUTES}:EUROPE",
        "atlas-africa": f"{_ATTRIBUTES}:AFRICA",
        "atlas-americas": f"{_ATTRIBUTES}:AMERICAS",
        "atlas-southern": f"{_ATTRIBUTES}:SOUTHERN",
        "atlas-tropics": f"{_ATTRIBUTES}:TROPICS",
        "atlas-northerly": f"{_ATTRIBUTES}:NORTHERLY",
        "atlas-easterly": f"{_ATTRIBUTES}:EASTERLY",
        "atlas-english": f"{_ATTRIBUTES}:ENGLISH",
        "atlas-spanish": f"{_ATTRIBUTES}:SPANISH",
        "atlas-arabic": f"{_ATTRIBUTES}:ARABIC",
        "atlas-euro": f"{_ATTRIBUTES}:EURO",
        "atlas-dollar": f"{_ATTRIBUTES}:DOLLAR",
        "atlas-landlocked": f"{_ATTRIBUTES}:LANDLOCKED",
        "atlas-populous": f"{_ATTRIBUTES}:POPULOUS",
        "atlas-vast": f"{_ATTRIBUTES}:VAST",
        "atlas-dense": f"{_ATTRIBUTES}:DENSE",
        "atlas-borders": f"{_ATTRIBUTES}:BORDERS",
        "atlas-beside-china": f"{_ATTRIBUTES}:BESIDE_CHINA",
        "atlas-claim-country": f"{_CLAIMS}:CLAIM_COUNTRY",
        "atlas-claim-continent": f"{_CLAIMS}:CLAIM_CONTINENT",
        "atlas-claim-hemisphere": f"{_CLAIMS}:CLAIM_HEMISPHERE",
        "atlas-claim-language": f"{_CLAIMS}:CLAIM_LANGUAGE",
        "atlas-claim-currency": f"{_CLAIMS}:CLAIM_CURRENCY",
        "atlas-same-country": f"{_CLAIMS}:CLAIM_SAME_COUNTRY",
        "atlas-larger": f"{_CLAIMS}:CLAIM_LARGER",
        "atlas-generation": f"{_GENERATION}:COUNTRY",
        "atlas-generation-language": f"{_GENERATION}:LANGUAGE",
        "atlas-generation-currency": f"{_GENERATION}:CURRENCY",
        "chess-mate-exists": f"{_CHESS}:MATE_EXISTS",
        "chess-hangs": f"{_CHESS}:HANGS",
        "chess-material": f"{_CHESS}:MATERIAL",
        "chess-mates": f"{_MATES}:MATES",
        "atlas-preference": f"{_PREFERENCES}:CONTINENT",
        "atlas-preference-hemisphere": f"{_PREFERENCES}:HEMISPHERE",
    },
    hint=HINT,
)

NOT_KNOWN = ("atlas-larger",)
"""Tasks of the atlas that no rung of the shipped ladder can do: controls, where all is chance."""

ATLAS_PREFERENCES = ("atlas-preference", "atlas-preference-hemisphere")
"""Tasks of the atlas that ask which of two completions is better."""

IN_WORDS = tuple(name for name in TASKS if name.startswith("atlas-generation"))
"""Tasks of the atlas that are answered in words."""

_APART = (*NOT_KNOWN, *ATLAS_PREFERENCES, *IN_WORDS)

GROUPS: Mapping[str, tuple[str, ...]] = {
    "atlas-suite": tuple(
        name for name in TASKS if name.startswith("atlas-") and name not in _APART
    ),
    "chess-suite": tuple(
        name for name in TASKS if name.startswith("chess-") and name != "chess-mates"
    ),
    "burns-nlp": BURNS,
    "eleuther-nlp": ELEUTHER,
    "preferences": PREFERENCES,
}
"""Names that stand for several tasks."""


def expand(names: Sequence[str]) -> tuple[str, ...]:
    """Names of tasks, with the name of a group replaced by its tasks."""
    return tuple(task for name in names for task in GROUPS.get(name, (name,)))
