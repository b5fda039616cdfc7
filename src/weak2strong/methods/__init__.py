"""How weak labels become a student: one short file a method, listed by name."""

from collections.abc import Callable, Mapping

from weak2strong.ground.registry import Registry

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
        "bootstrapping": "weak2strong.methods.bootstrapping:BOOTSTRAPPING",
        "bootstrapping-same-inputs": (
            "weak2strong.methods.bootstrapping:BOOTSTRAPPING_SAME_INPUTS"
        ),
        "ensemble": "weak2strong.methods.ensemble:ENSEMBLE",
        "generative": "weak2strong.methods.generative:GENERATIVE",
        "linear-probe": "weak2strong.methods.linear_probe:LINEAR_PROBE",
        "probe-predict": "weak2strong.methods.probes:PROBE_PREDICT",
        "probe-filter": "weak2strong.methods.probes:PROBE_FILTER",
        "probe-relabel": "weak2strong.methods.probes:PROBE_RELABEL",
        "zero-shot": "weak2strong.methods.prompting:ZERO_SHOT",
        "few-shot-weak": "weak2strong.methods.prompting:FEW_SHOT_WEAK",
        "few-shot": "weak2strong.methods.prompting:FEW_SHOT",
        "oracle-stopping": "weak2strong.methods.oracle_stopping:ORACLE_STOPPING",
        "finetune-then-probe": "weak2strong.methods.linear_probe:FINETUNE_THEN_PROBE",
    },
    hint="`w2s methods` lists them all.",
)

ALL = "all"
"""Stands for every method that the study can provide for, but for oracles."""


USUAL = "usual"
"""Stands for those of `USUAL_METHODS` that the study can provide for."""

USUAL_METHODS = ("naive", "confidence")

GROUPS: Mapping[str, Callable[[], tuple[str, ...]]] = {
    ALL: lambda: every_method(),
    USUAL: lambda: USUAL_METHODS,
}
"""Names that stand for several methods, of which a study takes what it can provide for."""


def every_method() -> tuple[str, ...]:
    """References of all methods that are no oracles, a line a variant."""
    methods = [METHODS.get(name) for name in METHODS]
    return tuple(
        reference for m in methods if not m.oracle for reference in m.variants or (m.name,)
    )
