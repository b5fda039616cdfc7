"""Study files: whole ones, with a wrong value or an unknown name, and damaged ones."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from fuzz.data import damaged
from fuzz.inputs import Draw, Ended, Input, group

RUN = ("run", "study.yaml", "--dry-run", "--json")

WRONG: dict[Any, Sequence[Any]] = {
    int: ("many", 1.5, True, [], {"a": 1}, 10**30, -(10**30), "1", float("nan")),
    float: ("x", float("nan"), float("inf"), -float("inf"), [], True, {}, [0.5]),
    bool: ("maybe", 3, [], "true", 0.5),
    str: (3, [], {}, True, 2.5, [1], ""),
    tuple: (3, {"a": 1}, [1, 2], [None], True, [[]], [{}]),
    Literal: ("nix", 3, [], {}, True),
}
"""Values that a setting of a type cannot have."""

WHOLE: dict[str, Sequence[Any]] = {
    "seeds": (1, 3, 17),
    "labels": ("soft",),
    "methods": (["naive"], "naive", ["naive", "confidence"], ["probe-predict:logistic"]),
    "metric": ("accuracy", "roc_auc", None),
    "split_seed": (0, 7, -3),
    "vary": ("training", "split"),
    "saturated": (0.9, 1, "0.97"),
    "weak": ({"name": "atlas-xs"}, "atlas-xs", {"name": "atlas-s", "adaptation": "head"}),
    "weak_training": ({"epochs": 1}, {"learning_rate": "1e-4"}, {"steps": 9, "beta1": 0.5}),
    "weak_label_temperature": (2, "fit", 0.5, None),
    "ceiling_stopping": ("none", "weak-validation", None),
}
"""Values that settings can have, of which any go together."""


def places(model: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """The settings of a study by their places, such as ``data.balance``, and their types."""
    hints = get_type_hints(model)
    for f in fields(model):
        kind = hints[f.name]
        if is_dataclass(kind):
            yield from places(kind, f"{above}{f.name}.")
        elif f.name not in ("name", "weak_label_temperature", "max_length"):
            yield f"{above}{f.name}", kind


def sort_of(kind: Any) -> Any:
    """The key of `WRONG` for a type; None where there is none."""
    if get_origin(kind) in (Union, UnionType):
        inner = [one for one in get_args(kind) if one is not NoneType]
        return sort_of(inner[0]) if len(inner) == 1 else None
    kind = get_origin(kind) or kind
    return kind if kind in WRONG else None


def dumped(place: str, value: Any) -> str:
    """A study with one setting."""
    import yaml

    for name in reversed(place.split(".")):
        value = {name: value}
    for role in ("weak", "strong"):
        if role in value:
            value[role] = {"name": "atlas-s", **value[role]}
    return yaml.safe_dump(value)


@group("studies", share=5)
def wrong_values(draw: Draw) -> Input:
    """A value that a setting cannot have, or a name that no setting has."""
    from weak2strong.config.study import StudyConfig

    rng, file = draw.rng, draw.folder / "study.yaml"
    every = [(place, sort) for place, kind in places(StudyConfig) if (sort := sort_of(kind))]
    place, sort = rng.choice(every)
    if rng.random() < 0.3:
        at = rng.randrange(len(place) - 1) if "." not in place else len(place) - 2
        near = place[: at + 1] + "x" + place[at + 1 :]
        file.write_text(dumped(near, 1))
        last = near.rpartition(".")[2]
        return Input(f"{near} in place of {place}", RUN, names=("study.yaml", last))
    value = rng.choice(WRONG[sort])
    if sort in (tuple, str) and value == 3 and "plugins" in place:
        value = {}
    file.write_text(dumped(place, value))
    return Input(f"{place}: {value!r}", RUN, names=("study.yaml", place.rpartition(".")[2]))


@group("whole-studies", share=1)
def whole_studies(draw: Draw) -> Input:
    """Values that go together: a plan comes of them, and the study survives being written."""
    import yaml

    rng, file = draw.rng, draw.folder / "study.yaml"
    names = rng.sample(sorted(WHOLE), rng.randint(1, 6))
    plain = {name: rng.choice(WHOLE[name]) for name in names}
    mark = rng.choice(("", "\ufeff", "---\n", "# A study.\n"))
    file.write_text(mark + yaml.safe_dump(plain, sort_keys=False), encoding="utf-8")

    def right(ended: Ended) -> str | None:
        from weak2strong.config.study import StudyConfig, read_study

        study = read_study(file)
        if StudyConfig.from_yaml(study.to_yaml()) != study:
            return "it is another study once it is written and read again"
        seeds = plain.get("seeds", 5)
        if study.seeds != seeds or '"stages"' not in ended.out:
            return "no plan of so many seeds is shown"
        return None

    return Input(f"{plain}", RUN, right=right)


@group("damaged-studies", share=2)
def damaged_studies(draw: Draw) -> Input:
    """A whole study with bytes cut, flipped, added or taken out, or something else altogether."""
    rng, file = draw.rng, draw.folder / "study.yaml"
    whole = b"tasks: [atlas-asia]\nseeds: 3\nweak: {name: atlas-xs}\nmethods:\n- naive\n"
    about, content = damaged(rng, whole)
    other = {
        "a list": b"- a\n",
        "a word": b"atlas-asia\n",
        "empty": b"",
        "a number": b"3",
        "an alias of itself": b"a: &a [*a]",
        "an object of Python": b"!!python/object:os.system {}",
        "no UTF-8": b"tasks: [caf\xe9]",
        "a tab": b"\ttasks: 3",
        "a key twice": b"seeds: 3\nseeds: 4\n",
        "nested": b"tasks: " + b"[" * 3000,
        "a million aliases": b"a: &a [1,1,1,1,1,1,1,1,1,1]\n"
        + b"".join(
            f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n".encode()
            for i in range(8)
        ),
        "two documents": b"seeds: 3\n---\nseeds: 4\n",
        "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    }
    if rng.random() < 0.4:
        about = rng.choice(sorted(other))
        file.write_bytes(other[about])
        return Input(about, RUN, names=("study.yaml",))
    file.write_bytes(content)
    # A flipped letter of a name is an error of the name, and a smaller number a smaller study.
    named = ("study.yaml", "Unknown", "unknown", "There is no", "Dataset", "Model", "model", "task")
    return Input(about, RUN, names=(named,), right=lambda ended: None)
