"""A setting is written once: flag, study file and Python reach it, and the flags tell of it."""

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import pytest
import tyro
import yaml

from weak2strong.cli import main
from weak2strong.cli.run import Run
from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.experiments.study import Study
from weak2strong.ground.errors import UserError
from weak2strong.models.rates import usual_rates
from weak2strong.protocol.resolve import resolved
from weak2strong.subjects.chess.options import PuzzleOptions


def by_flags(*arguments):
    """The study that the flags of `w2s run` describe."""
    config = (tyro.conf.OmitArgPrefixes, tyro.conf.OmitSubcommandPrefixes)
    return tyro.cli(Run, args=[str(word) for word in arguments], config=config).config()


def by_file(tmp_path, plain, *arguments):
    """The study of a file, and flags."""
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(plain))
    return by_flags(file, *arguments)


@pytest.mark.parametrize(
    ("flags", "plain", "settings"),
    [
        (
            ["--weight-decay", "0.1"],
            {"weak_training": {"weight_decay": 0.1}, "strong_training": {"weight_decay": 0.1}},
            {
                "weak_training": Training(weight_decay=0.1),
                "strong_training": Training(weight_decay=0.1),
            },
        ),
        (["--shrink"], {"data": {"shrink": True}}, {"data": DataOptions(shrink=True)}),
    ],
)
def test_a_setting_is_changed_by_flag_file_and_python_alike(tmp_path, flags, plain, settings):
    found = by_flags(*flags)
    assert found == by_file(tmp_path, plain) == Study(**settings).config
    assert found == replace(StudyConfig(), **settings) != StudyConfig()


OTHER = {
    ("", "tasks"): ("--task boolq", ("boolq",)),
    ("", "weak"): ("--weak atlas-xs", ModelSpec("atlas-xs")),
    ("", "strong"): ("--strong atlas-m", ModelSpec("atlas-m")),
    ("", "intermediates"): ("--intermediates atlas-m", (ModelSpec("atlas-m"),)),
    ("", "supervisors"): ("--supervisors atlas-m", (ModelSpec("atlas-m"),)),
    ("", "plugins"): ("--plugin a.py", (Path("a.py"),)),
    ("", "weak_labels"): ("--weak-labels a.csv", Path("a.csv")),
    ("", "ceiling_stopping"): ("--ceiling-stopping oracle", "oracle"),
    ("training", "learning_rate"): ("--weak-lr 0.5 --strong-lr 0.5", 0.5),
    ("training", "head_rate"): ("--weak-head-rate 0.5 --strong-head-rate 0.5", 0.5),
    ("training", "evaluations"): ("--stopping-evaluations 77", 77),
    ("training", "stopping_metric"): ("--stopping-metric accuracy", "accuracy"),
    ("model", "adaptation"): ("--weak-adaptation head --strong-adaptation head", "head"),
    ("model", "k"): ("--weak-k 77", 77),
    ("model", "head_start"): ("--head-start answers --answers a b", "answers"),
    ("model", "answers"): ("--head-start answers --answers a b", ("a", "b")),
    ("model", "chat_template_kwargs"): ('--chat-template-kwargs {"b":1,"a":2}', '{"a": 2, "b": 1}'),
    ("model", "chat_date"): ("--chat-date 2026-11-28", "2026-11-28"),
    ("data", "weak_label_rule"): (
        "--weak-label-rule majority --weak-label-columns people-x people-y",
        "majority",
    ),
    ("data", "weak_label_columns"): (
        "--weak-label-rule majority --weak-label-columns people-x people-y",
        ("people-x", "people-y"),
    ),
    ("data", "encoding"): ("--encoding latin-1", "latin-1"),
    ("puzzles", "games"): ("--games a.pgn --puzzle-form pgn", "a.pgn"),
    ("puzzles", "minimum_rating"): ("--puzzle-minimum-rating 7", 7),
}
"""Flags and values of settings for which these do not follow from the name and the type."""

NO_FLAG = {("model", "name"), ("model", "revision")}
"""Settings that other flags give (--weak, --strong)."""

OF_SUPERVISORS = {("model", "k")}
"""Settings that the supervisor alone has."""


ALONE = {
    *(("data", f"{name}_column") for name in ("text", "prompt", "preference", "target")),
    *(("data", f"{name}_column") for name in ("chosen", "rejected", "label", "split")),
    ("model", "trained_weights"),
    ("puzzles", "form"),
}
"""Settings that cannot be given beside others."""


def described():
    """Every setting: of which model, its name, flags that change it, and the value they give."""
    models = {
        "": StudyConfig,
        "training": Training,
        "model": ModelSpec,
        "data": DataOptions,
        "puzzles": PuzzleOptions,
    }
    for part, model in models.items():
        hints = get_type_hints(model)
        for f in fields(model):
            kind = hints[f.name]
            if (part, f.name) in NO_FLAG or (is_dataclass(kind) and kind is not ModelSpec):
                continue
            name = ("puzzle-" if part == "puzzles" else "") + f.name.replace("_", "-")
            known = OTHER.get((part, f.name))
            yield (part, f.name, *(known or usual(name, kind, f.default)))


def usual(name, kind, default):
    kinds = [one for one in (kind, *get_args(kind)) if one is not type(None)]
    if get_origin(kind) is Literal:
        value = next(one for one in get_args(kind) if one != default)
        return f"--{name} {value}", value
    if kind is bool:
        return f"--{'no-' if default else ''}{name}", not default
    if get_origin(kind) is tuple:
        return f"--{name} {name}-x {name}-y", (f"{name}-x", f"{name}-y")
    value = next((v for t, v in ((int, 77), (float, 0.25), (str, f"{name}-x")) if t in kinds))
    return f"--{name} {value}", value


def places_of(study, part, name):
    """What has a setting of this name."""
    places = {
        "": (study,),
        "training": (study.weak_training, study.strong_training),
        "model": (study.weak, study.strong),
        "data": (study.data,),
        "puzzles": (study.data.puzzles,),
    }
    return places[part][:1] if (part, name) in OF_SUPERVISORS else places[part]


def flags_in(words):
    return {word for word in words.split() if word.startswith("--")}


def told_apart(settings):
    """Of every setting its number's binary digits: which of some command lines give it.

    So no two settings are given by the same ones, and a flag that changed another setting than its
    own is found as it would be if each had a command line of its own, which take long to parse.
    """
    for digit in range(len(settings).bit_length()):
        yield [one for number, one in enumerate(settings, 1) if number >> digit & 1]


EVERY = list(described())
LINES = [
    line
    for part in ({"model"}, {"", "training"}, {"data", "puzzles"})
    for line in told_apart([one for one in EVERY if one[0] in part and one[:2] not in ALONE])
]
LINES += [[one] for one in EVERY if one[:2] in ALONE]


@pytest.mark.parametrize("given", LINES, ids=range(len(LINES)))
def test_every_setting_has_a_flag_and_a_place_in_files(given):
    flags = dict.fromkeys(flags for _, _, flags, _ in given)
    words = " ".join(flags).split()
    study, usual = by_flags(*words), StudyConfig()
    for part, name, flags, value in EVERY:
        places = places_of(study, part, name), places_of(usual, part, name)
        for model, plain in zip(*places, strict=True):
            if (part, name, flags, value) in given:
                assert getattr(model, name) == value != getattr(plain, name), name
            # A model is as its settings are, which stand here themselves.
            elif not isinstance(value, ModelSpec) and not {*words} & flags_in(flags):
                assert getattr(model, name) == getattr(plain, name), name
    assert StudyConfig.from_yaml(study.to_yaml()) == study
    assert Study(**{f.name: getattr(study, f.name) for f in fields(study)}).config == study


def test_a_flag_of_one_role_counts_more_than_that_of_both():
    study = by_flags("--stopping", "oracle", "--strong-stopping", "weak-validation")
    assert (study.weak_training.stopping, study.strong_training.stopping) == (
        "oracle",
        "weak-validation",
    )
    assert study.ceiling_training.stopping == "weak-validation"
    assert by_flags("--ceiling-stopping", "oracle").ceiling_training.stopping == "oracle"


@pytest.mark.parametrize("flag", ["stopping", "weak-stopping", "strong-stopping"])
def test_a_wrong_rule_is_told_with_the_flag_that_has_it(flag):
    with pytest.raises(UserError, match=f"^--{flag} must be"):
        by_flags(f"--{flag}", "never")


def test_flags_tell_text_and_default_of_their_setting(capsys):
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    rises = "Share of the steps in which the learning rate rises."
    assert f"--warmup NUMBER {rises} (default: 0.1)" in shown
    assert "--batch-size N Examples of an optimiser step; if not given 32, and 128 where" in shown
    assert "--weak-lr RATE Of the supervisor: peak learning rate" in shown


def test_flags_change_what_they_name_and_nothing_else(tmp_path):
    training = {"learning_rate": 1e-3, "weight_decay": 0.1}
    plain = {"seeds": 2, "strong_training": training, "intermediates": ["atlas-m"]}
    study = by_file(tmp_path, plain)
    flags = "--weak owner/name@v1 --weak-lr 1e-2 --steps 7 --batch-size 8 --stopping none"
    flags += " --precision bfloat16 --trust-remote-code"
    found = by_file(tmp_path, plain, *flags.split())
    both = {"precision": "bfloat16", "trust_remote_code": True}
    same = {"steps": 7, "batch_size": 8, "stopping": "none"}
    assert found == replace(
        study,
        weak=ModelSpec("owner/name", "v1", **both),
        strong=ModelSpec("atlas-l", **both),
        intermediates=(ModelSpec("atlas-m", **both),),
        weak_training=Training(learning_rate=1e-2, **same),
        strong_training=Training(**training, **same),
    )
    assert by_file(tmp_path, plain) == study


def test_intermediates_are_adapted_as_the_student_and_supervisors_as_the_supervisor(tmp_path):
    found = by_flags(
        *["--intermediates", "a/b", "--supervisors", "c/d", "--strong-adaptation", "lora"],
        *["--weak-adaptation", "head", "--lora-rank", "4"],
    )
    assert {m.adaptation for m in (found.strong, *found.intermediates)} == {"lora"}
    assert {m.adaptation for m in (found.weak, *found.supervisors)} == {"head"}
    assert found.intermediates[0].lora_rank == 4
    assert by_flags("--strong-adaptation", "lora").intermediates is None


@pytest.mark.parametrize("flags", ["--strong-adaptation lora", "--strong atlas-m"])
def test_a_rate_that_a_study_chose_stays_and_is_told(tmp_path, capsys, flags):
    plain = {"strong_training": {"learning_rate": 3e-4, "epochs": 2}}
    found = by_file(tmp_path, plain, *flags.split())
    assert found.strong_training == Training(learning_rate=3e-4, epochs=2)
    told = capsys.readouterr().err
    assert "takes the learning rate 0.0003 that the study has for atlas-l" in told
    assert "--strong-lr sets another" in told
    found = by_file(tmp_path, plain, *flags.split(), "--strong-lr", "0.5")
    assert found.strong_training == Training(learning_rate=0.5, epochs=2)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("flags", ["--weak-adaptation lora", "--weak atlas-xs"])
def test_usual_rates_in_the_study_of_a_run_follow_the_model(tmp_path, capsys, flags):
    run = resolved(StudyConfig(seeds=1))
    found = by_file(tmp_path, yaml.safe_load(run.to_yaml()), *flags.split())
    assert (found.weak_training.learning_rate, found.weak_training.head_rate) == (None, None)
    assert "takes the rates that are usual for it" in capsys.readouterr().err
    again = resolved(found)
    rates = (again.weak_training.learning_rate, again.weak_training.head_rate)
    if "lora" in flags:
        assert rates == (None, None), "a search will find them"
    else:
        assert rates == usual_rates(again.weak) != usual_rates(run.weak)
    assert again.strong_training == run.strong_training


def test_models_of_a_grid_take_their_own_rates_unless_the_study_chose_one(tmp_path, capsys):
    """The rates of the study's strong model are no good for the others of the grid."""
    from weak2strong.cli.experiments import command_of
    from weak2strong.experiments.grid import Grid

    def grid(plain):
        file = tmp_path / "study.yaml"
        file.write_text(yaml.safe_dump(plain))
        return command_of(Grid)(study=file, models=("atlas-xs", "atlas-s", "atlas-l")).experiment()

    found = grid(yaml.safe_load(resolved(StudyConfig(seeds=1)).to_yaml()))
    for training in (found.weak_training, found.strong_training):
        assert (training.learning_rate, training.head_rate) == (None, None)
    capsys.readouterr()
    assert grid({"strong_training": {"learning_rate": 0.5}}).strong_training.learning_rate == 0.5
    assert "takes the learning rate 0.5 that the study has" in capsys.readouterr().err


def test_flags_that_change_no_model_tell_nothing(tmp_path, capsys):
    plain = yaml.safe_load(resolved(StudyConfig(seeds=1)).to_yaml())
    found = by_file(tmp_path, plain, "--epochs", "1", "--strong-adaptation", "full")
    assert found.strong_training.learning_rate == 1e-4
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--schedule", "foo"), "--schedule must be one of cosine, linear, constant, not 'foo'."),
        (("--lora-rank", "0"), "--lora-rank must be at least 1, not 0."),
        (("--strong", "atlas-m", "--lora-rank", "0"), "--lora-rank must be at least 1, not 0."),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_flag(flags, sentence, capsys):
    assert main(["run", *flags]) == 2
    assert capsys.readouterr().err == f"error: {sentence}\n"
