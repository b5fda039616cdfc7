"""What is wrong with a task before anything is trained on it: one file a check."""

from weak2strong.ground.registry import Registry

_HERE = "weak2strong.analysis.audit"

CHECKS = Registry(
    "check",
    {
        "balance": f"{_HERE}.balance:balance",
        "duplicates": f"{_HERE}.duplicates:duplicates",
        "near-duplicates": f"{_HERE}.near_duplicates:near_duplicates",
        "groups": f"{_HERE}.groups:groups",
        "beginnings": f"{_HERE}.beginnings:beginnings",
        "length": f"{_HERE}.length:length",
        "form": f"{_HERE}.form:form",
        "answers": f"{_HERE}.answers:answers",
        "shortcut": f"{_HERE}.shortcut:shortcut",
    },
)
"""Checks of a task: functions of a `weak2strong.analysis.audit.subject.Subject` to findings."""

OF_CLASSES = frozenset({"balance", "length", "form", "answers", "shortcut"})
"""Checks that compare classes, which tasks that are answered in words do not have."""

OF_WORDS = frozenset(
    {"duplicates", "near-duplicates", "beginnings", "length", "form", "answers", "shortcut"}
)
"""Checks that read texts, as all checks with a model do: tasks of features have none."""

MODEL_CHECKS = Registry(
    "check",
    {
        "truncation": f"{_HERE}.truncation:truncation",
        "published": f"{_HERE}.published:published",
        "contamination": f"{_HERE}.contamination:contamination",
    },
)
"""Checks of a task and a model: functions of a `Subject` and a
`weak2strong.analysis.audit.reader.Reader`."""
