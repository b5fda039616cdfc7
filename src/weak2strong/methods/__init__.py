"""How weak labels become a student: one short file a method, listed by name."""

from weak2strong.registry import Registry

METHODS = Registry(
    "method",
    {
        "naive": "weak2strong.methods.naive:NAIVE",
        "confidence": "weak2strong.methods.confidence:CONFIDENCE",
    },
    hint="`w2s methods` lists them all.",
)
