"""What a study resolves to: tasks, models at a commit, methods that it can provide for, rates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.ground.draws import draw_seed
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import less_is_better, metric, usual_metric
from weak2strong.ground.own_metrics import OWN_METRICS
from weak2strong.ground.plugins import load_plugins
from weak2strong.ground.predictions import WRITTEN
from weak2strong.ground.progress import say_now
from weak2strong.ground.weak_labels import read_weak_labels
from weak2strong.methods import GROUPS
from weak2strong.methods.method import Given
from weak2strong.methods.reference import find_method, reading_in
from weak2strong.models.configuration import check_kind
from weak2strong.models.rates import ruled_rates, shape_of, usual_rates
from weak2strong.models.reads import check_reads
from weak2strong.models.resolve import fingerprint, resolve_model
from weak2strong.protocol.choice import Amount, Choice, Role, Weight, choices
from weak2strong.protocol.literature import reported
from weak2strong.protocol.needs import check_pairs, intermediates_of, provided
from weak2strong.protocol.neighbours import check_points, check_roles, supervisors_of
from weak2strong.protocol.pair import check_items
from weak2strong.protocol.reading import check_reading
from weak2strong.protocol.resolution import Resolution
from weak2strong.protocol.test_size import check_test
from weak2strong.protocol.usual import with_usual
from weak2strong.simulators import SIMULATORS
from weak2strong.tasks import expand
from weak2strong.tasks.annotators import check_annotated
from weak2strong.tasks.difficulty import read_selection, select
from weak2strong.tasks.find import find_tasks, pinned, tests_pinned
from weak2strong.tasks.inputs import SORTS
from weak2strong.tasks.kinds import stratum
from weak2strong.tasks.splits import Splits, hold_out, make_splits, redrawn
from weak2strong.tasks.task import Example, Kind, Task


def resolved(config: StudyConfig) -> StudyConfig:
    """The same study with nothing left open: what it names is looked up, and rates are filled in.

    Of a pair that nobody named and that is to be downloaded, it is said here.

    Raises:
        UserError: for any name, number or file that cannot be right.
    """
    resolution = resolve(config)
    if resolution.downloads:
        say_now(resolution.said)
    return settle(resolution.config)


def resolve(config: StudyConfig) -> Resolution:
    """Look up all that a study names: tasks, models, methods, metrics.

    Raises:
        UserError: for any name, number or file that cannot be right.
    """
    references = checked(config)
    tasks = find_tasks(references, config.data)
    for task in tasks:
        # What is wrong with data is said before what is wrong with models.
        check_task(config, task)
    paired = with_usual(config, tasks, splits_of)
    config = paired.config
    between = intermediates_of(config)
    models = (config.weak, config.strong, *between, *config.supervisors)
    for model in models:
        for task in tasks:
            check_reads(model, task.name, task.inputs)
        fingerprint(model)
        for task in tasks:
            check_kind(model, task.kind)
    check_items(models, tasks)
    check_reading(models, tasks)
    kinds = {task.name: (task.kind, len(task.classes)) for task in tasks}
    methods, left_out = provided(config, kinds, given=given_by(config, tasks))
    for method in map(find_method, methods):
        if "pairs" in method.needs:
            for task in tasks:
                check_pairs(method, task.name, (example.item for example in task.load()))
    usual = common_metric(tasks)
    watched = usual_metric(tasks[0].kind) if usual in OWN_METRICS else usual
    found = replace(
        config,
        tasks=tuple(map(pinned, references, tasks)),
        data=tests_pinned(config.data),
        weak=resolve_model(config.weak),
        strong=resolve_model(config.strong),
        methods=methods,
        metric=config.metric or usual,
        intermediates=tuple(map(resolve_model, between)),
        supervisors=tuple(map(resolve_model, config.supervisors)),
        plugins=tuple(path.expanduser().absolute() for path in config.plugins),
        weak_training=_with_metric(config.weak_training, watched),
        strong_training=_with_metric(config.strong_training, watched),
    )
    return Resolution(found, left_out, paired.said, paired.downloads)


def settle(config: StudyConfig, chosen: Sequence[Choice] | None = None) -> StudyConfig:
    """Fill in the rates that a resolved study leaves open, but those that a search will find.

    Nothing before this knows rates (names are looked up and dry runs are made without), and all
    keys of stages hold them as numbers: the stages of a task pull the search for what is left open
    here (see `weak2strong.protocol.stages.rates`).

    Args:
        config: the resolved study.
        chosen: how rates are chosen, if that is known already.
    """
    trainings, how = dict[str, Training](), dict[str, str]()
    for choice in chosen or chosen_rates(config):
        name = f"{choice.role}_training"
        model, training = getattr(config, choice.role), getattr(config, name)
        how[choice.role] = choice.how
        if choice.how == "search":
            continue
        if training.learning_rate is None:
            usual = ruled_rates if config.rates == "rule" else usual_rates
            training = training.with_rates(usual(model))
        trainings[name] = training.with_rates((training.learning_rate, training.learning_rate))
    rates = "search" if "search" in how.values() else config.rates
    return replace(config, rates=rates, **trainings)


def chosen_rates(config: StudyConfig) -> tuple[Choice, ...]:
    """How the rates of a resolved study are chosen.

    Raises:
        UserError: where a search was asked for and cannot be made.
    """

    def weights() -> dict[Role, Weight]:
        return {
            "weak": Weight(shape_of(config.weak).multiplied, config.weak.adaptation),
            "strong": Weight(shape_of(config.strong).multiplied, config.strong.adaptation),
        }

    def amounts() -> list[Amount]:
        found = []
        for task in find_tasks(config.tasks, config.data):
            splits = splits_of(config, task.about(config.entities))
            found.append(Amount(task.kind, len(splits.weak_train), len(splits.strong_train)))
        return found

    return choices(config, weights, amounts)


def checked(config: StudyConfig) -> tuple[str, ...]:
    """The references of all tasks, groups written out, once the study's own words are right.

    Neither data nor models are looked at.

    Raises:
        UserError: for a name or a number that cannot be right.
    """
    load_plugins(config.plugins)
    references = expand(config.tasks)
    _check_list("task", references)
    _check_list("method", config.methods)
    if less_is_better(config.metric):
        raise UserError(f"PGR needs a metric of which more is better, not {config.metric!r}.")
    for training in (config.weak_training, config.strong_training):
        if training.stopping_metric and training.stopping_metric in OWN_METRICS:
            raise UserError(
                f"The metric {training.stopping_metric!r} is of a plugin, and trainings are "
                "stopped by ours: name another stopping_metric, or leave it out."
            )
    if config.literature is not None:
        reported(config.literature)
    for name in config.methods:
        if name not in GROUPS:
            find_method(name)
    between = intermediates_of(config)
    _check_list("intermediate", tuple(m.name for m in between), least=0)
    check_roles(config, between)
    for selection in (config.train_difficulty, config.test_difficulty):
        if selection is not None:
            read_selection(selection)
    _check_simulated(config)
    _check_temperature(config)
    if config.weak_labels and len(references) > 1:
        raise UserError("--weak-labels belongs to one task: name one with --task.")
    if config.weak_labels and config.data.weak_label_columns:
        raise UserError(
            "Weak labels come from a file (--weak-labels) or from columns of the data "
            "(--weak-label-columns), not from both: leave one of the two out."
        )
    if config.weak_labels and config.vary == "split":
        raise UserError(
            "A file of weak labels has those of one split, and --vary split draws one for each "
            "seed: leave one of the two out."
        )
    return references


def split_seed_of(config: StudyConfig, seed: int) -> int:
    """By which the examples of a seed are dealt out; the first has the split of the study."""
    if config.vary == "training" or seed == 0:
        return config.split_seed
    return draw_seed(config.split_seed, "split", str(seed)) % 2**31


def splits_of(config: StudyConfig, task: Task, seed: int = 0) -> Splits:
    """The splits of one of the study's tasks, as a seed has them.

    Raises:
        UserError: where they cannot be made, or lack what difficulty or the metric needs.
    """
    if config.vary == "split" and task.tells_learners:
        raise UserError(
            f"Task {task.name} says itself who learns from which examples, so that seeds cannot "
            "draw that: leave --vary split out."
        )
    whole, drawn = make_splits(task, config.split_seed), split_seed_of(config, seed)
    if drawn != config.split_seed:
        whole = redrawn(task, whole, drawn)
    about, of = f"Task {task.name}", stratum(task.kind)
    found = select(whole, config.train_difficulty, config.test_difficulty, about, of)
    check_test(task, found.test, config.metric or task.metric or usual_metric(task.kind))
    if not config.given_labels:
        for model in supervisors_of(config):
            check_points(task.name, model, len(found.weak_train))
        if config.weak_label_temperature == "fit":
            _check_held_out(task.name, found.weak_train)
    return found


def _check_held_out(task: str, examples: Sequence[Example]) -> None:
    """Refuse to fit a temperature where no example can be held out, before a training.

    Raises:
        UserError: where all of them belong together.
    """
    if not hold_out(examples, 0.1, 0)[1]:
        raise UserError(
            f"Task {task}: all of weak_train is one group, so that no ground truth can be held out "
            "to fit a temperature on: give a number (--weak-label-temperature)."
        )


def given_by(config: StudyConfig, tasks: Sequence[Task]) -> Callable[[str], Sequence[Given]]:
    """What tasks of a study give to methods, by name: of each seed that has a split of its own.

    Splits are made when a task is asked for first. Of other tasks nothing is known.
    """
    by_name, between = {task.name: task for task in tasks}, len(intermediates_of(config))
    seeds = range(config.seeds if config.vary == "split" else 1)

    @cache
    def given(name: str) -> Sequence[Given]:
        if name not in by_name:
            return ()
        task = by_name[name].about(config.entities)
        return [Given(splits_of(config, task, seed).items, between) for seed in seeds]

    return given


def readings_of(config: StudyConfig) -> tuple[str, ...]:
    """The steps by which some students read texts first: their ceilings do so, too."""
    found = (reading_in(method) for method in config.methods)
    return tuple(dict.fromkeys(reading for reading in found if reading))


def check_task(config: StudyConfig, task: Task) -> None:
    """Refuse a task that does not go with what the study says of metrics and labels.

    Raises:
        UserError: where it does not.
    """
    if lacks := lacking_for(config.simulated, task):
        raise UserError(f"{lacks}: choose another one.")
    task.about(config.entities)
    check_metrics(config, task.kind)
    if config.weak_label_temperature and task.kind in WRITTEN:
        raise UserError(
            f"Task {task.name} is answered in words, which have no temperature: name another "
            "task, or leave --weak-label-temperature out."
        )
    if task.kind in WRITTEN and not all(model.is_trained for model in supervisors_of(config)):
        raise UserError(
            f"Task {task.name} is answered in words, and a supervisor of neighbours answers by "
            "shares of classes: leave --weak-adaptation knn out, or name another task."
        )
    if config.data.weak_label_columns:
        check_annotated(task)
    if config.weak_labels:
        labels = read_weak_labels(config.weak_labels, len(task.classes), task.kind)
        if config.weak_label_temperature and set(labels.probabilities.flat) <= {0.0, 1.0}:
            raise UserError(
                f"Weak labels {config.weak_labels} are hard, and a temperature does not change "
                "them: leave --weak-label-temperature out."
            )


def lacking_for(simulated: str | None, task: Task) -> str:
    """Why a simulated supervisor is none for a task, as a sentence without its end; empty where it
    is one, or there is none."""
    if simulated is None:
        return ""
    needs = SIMULATORS.get(simulated).needs
    if "words" in needs and not SORTS[task.inputs].has_words:
        return (
            f"The simulated supervisor {simulated!r} needs texts, and task {task.name} is one of "
            f"{SORTS[task.inputs].title}"
        )
    if "classes" in needs and task.kind in WRITTEN:
        return (
            f"The simulated supervisor {simulated!r} needs classes, and task {task.name} is "
            "answered in words"
        )
    return ""


def check_metrics(config: StudyConfig, kind: Kind) -> None:
    """Refuse metrics that tasks of a kind do not have.

    Raises:
        UserError: for such a metric.
    """
    trainings = (config.weak_training, config.strong_training)
    for name in (config.metric, *(training.stopping_metric for training in trainings)):
        metric(kind, name)


def _check_simulated(config: StudyConfig) -> None:
    if config.simulated is not None:
        SIMULATORS.get(config.simulated)
        if config.weak_labels:
            raise UserError("Weak labels are simulated or come from a file, not both.")
    elif config.simulated_accuracy is not None:
        raise UserError("An accuracy of simulated labels needs a kind: name it (simulated).")


def _check_temperature(config: StudyConfig) -> None:
    """Refuse a temperature that could not change a label, or that nothing could be fitted on."""
    if config.weak_label_temperature is None:
        return
    hard = "hard labels are learnt" if config.labels == "hard" else None
    if hard or config.simulated:
        raise UserError(
            f"A temperature does not change hard labels, and here "
            f"{hard or 'those of a simulated supervisor are hard'}: leave "
            "--weak-label-temperature out."
        )
    if config.given_labels and config.weak_label_temperature == "fit":
        raise UserError(
            "A temperature is fitted on ground truth that the supervisor has not learnt, and of "
            "the maker of weak labels that are given nobody knows what that is: give a number "
            "(--weak-label-temperature)."
        )


def _check_list(what: str, names: tuple[str, ...], least: int = 1) -> None:
    if len(names) < least:
        raise UserError(f"A study needs at least one {what}.")
    repeated = [name for name, n in Counter(names).items() if n > 1]
    if repeated:
        raise UserError(f"A {what} is named more than once: {', '.join(repeated)}.")


def common_metric(tasks: Sequence[Task]) -> str:
    """What the tasks are usually scored by.

    Raises:
        UserError: where they differ in this.
    """
    first, *others = tasks
    usual = {task.name: task.metric or usual_metric(task.kind) for task in tasks}
    for other in others:
        if usual[other.name] != usual[first.name]:
            raise UserError(
                f"Task {first.name} is scored by {usual[first.name]}, {other.name} by "
                f"{usual[other.name]}: give each a study of its own."
            )
    return usual[first.name]


def _with_metric(training: Training, metric: str) -> Training:
    """A training that names the metric of its evaluations."""
    return replace(training, stopping_metric=training.stopping_metric or metric)
