"""How weak labels become a student: one short file a method, listed by name."""

from weak2strong.registry import Registry

METHODS = Registry(
    "method",
    {
        "naive": "weak2strong.methods.naive:NAIVE",
        "confidence": "weak2strong.methods.confidence:CONFIDENCE",
        "confidence-openai-code": (
            "weak2strong.methods.confidence_openai_code:CONFIDENCE_OPENAI_CODE"
        ),
        "adaptive-confidence": "weak2strong.methods.adaptive_confidence:ADAPTIVE_CONFIDENCE",
        "adaptive-confidence-guo-code": (
            "weak2strong.methods.adaptive_confidence:ADAPTIVE_CONFIDENCE_GUO_CODE"
        ),
        "entropy": "weak2strong.methods.entropy:ENTROPY",
        "entropy-eleuther-code": "weak2strong.methods.entropy_eleuther_code:ENTROPY_ELEUTHER_CODE",
        "window": "weak2strong.methods.window:WINDOW",
        "product": "weak2strong.methods.product:PRODUCT",
        "kl": "weak2strong.methods.kl:KL",
        "confident-only": "weak2strong.methods.confident_only:CONFIDENT_ONLY",
        "strong-to-strong": "weak2strong.methods.strong_to_strong:STRONG_TO_STRONG",
    },
    hint="`w2s methods` lists them all.",
)

ALL = "all"
"""Stands for every method."""


def expand(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of methods, with ``all`` replaced by all of them."""
    return tuple(method for name in names for method in (METHODS if name == ALL else (name,)))
