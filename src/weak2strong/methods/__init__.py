"""How weak labels become a student: one short file a method, or one decorator on a loss."""

from collections.abc import Callable, Mapping

from weak2strong.ground.registry import Registry

LOSSES = Registry("loss", packages=("weak2strong.losses",))

METHODS = Registry(
    "method",
    hint="`w2s methods` lists them all.",
    packages=("weak2strong.losses", "weak2strong.methods"),
    # Lists and the colours of figures keep this order; a new method need not be named here.
    first=(
        "naive",
        "confidence",
        "confidence-openai-code",
        "adaptive-confidence",
        "adaptive-confidence-guo-code",
        "entropy",
        "entropy-eleuther-code",
        "window",
        "product",
        "kl",
        "confident-only",
        "consistent",
        "strong-to-strong",
        "strong-to-strong-oracle",
        "bootstrapping",
        "bootstrapping-same-inputs",
        "ensemble",
        "generative",
        "linear-probe",
        "probe-predict",
        "probe-filter",
        "probe-relabel",
        "zero-shot",
        "few-shot-weak",
        "few-shot",
        "oracle-stopping",
        "finetune-then-probe",
    ),
)

BASELINE = "naive"
"""Finetuning on the weak labels as they are: what follows a step that nothing else follows, and
what other methods are compared with."""

ALL = "all"
"""Stands for every method that the study can provide for, but for oracles and those that need
pairs."""

USUAL = "usual"
"""Stands for those of `USUAL_METHODS` that the study can provide for."""

USUAL_METHODS = (BASELINE, "confidence")

GROUPS: Mapping[str, Callable[[], tuple[str, ...]]] = {
    ALL: lambda: every_method(),
    USUAL: lambda: USUAL_METHODS,
}
"""Names that stand for several methods, of which a study takes what it can provide for."""


def every_method() -> tuple[str, ...]:
    """References of all methods that are no oracles and for any data; a method with variants has
    one for each."""
    methods = [METHODS.get(name) for name in METHODS]
    return tuple(
        reference
        for m in methods
        if not {"truth", "pairs"} & {*m.needs}
        for reference in m.variants or (m.name,)
    )
