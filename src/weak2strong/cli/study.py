"""The flags that say what a study is, which the commands that compute one share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, make_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from tyro.conf import Positional, arg

from weak2strong.cli.flags import changed, flags, flags_of, given
from weak2strong.config.data import OF_READING, DataOptions
from weak2strong.config.engine import EngineOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.recipes import recipe_at
from weak2strong.config.study import StudyConfig, read_study
from weak2strong.config.training import Training
from weak2strong.ground.errors import UserError
from weak2strong.ground.lines import tell
from weak2strong.ground.rooms import OPTIONS

METHODS = (
    "intermediates",
    "supervisors",
    "methods",
    "primary_test",
    "saturated",
    "simulated",
    "simulated_accuracy",
)
"""Settings of a study that play a part only where students learn by methods."""

Names = Annotated[tuple[str, ...] | None, arg(metavar="NAME ...", help_behavior_hint="")]
Place = Annotated[Path | None, arg(metavar="PATH", help_behavior_hint="")]

if TYPE_CHECKING:

    class _Made:
        def __init__(self, **flags: Any): ...
        def __getattr__(self, name: str) -> Any: ...

    class StudyFlags(_Made):
        """As made below."""

    class MethodFlags(_Made):
        """As made below."""

    ModelFlags = _Made
    TrainingFlags = _Made
    DataFlags = _Made
    ReadingFlags = _Made
    EngineFlags = _Made
else:
    StudyFlags = flags(StudyConfig, without=METHODS)
    MethodFlags = flags(StudyConfig, only=METHODS)
    ModelFlags, TrainingFlags = flags(ModelSpec), flags(Training)
    EngineFlags = flags(EngineOptions)
    ReadingFlags = flags(DataOptions, only=OF_READING)
    _SOURCES = {name: flags(OPTIONS.get(name)) for name in OPTIONS}
    DataFlags = make_dataclass(
        "DataFlags",
        [(name, kind, field(default_factory=kind)) for name, kind in _SOURCES.items()],
        bases=(flags(DataOptions),),
        frozen=True,
        namespace={"__doc__": DataOptions.__doc__},
    )


def data_options(made: Any, before: DataOptions | None = None) -> DataOptions:
    """The options of a study, or else the default ones, with those that were given as flags.

    Args:
        made: an object of `DataFlags`.
        before: the options of the study.
    """
    options = changed(before or DataOptions(), made)
    sources = {name: changed(getattr(options, name), getattr(made, name)) for name in OPTIONS}
    return replace(options, **sources)


@dataclass(frozen=True, kw_only=True)
class Output:
    """Where everything goes, and how it is run."""

    out: Place = None
    """A folder for the tables, in place of the run folder."""
    store: Place = None
    """Where stages are kept; ~/.cache/weak2strong by default, or $W2S_STORE."""
    quiet: Annotated[bool, arg(help_behavior_hint="")] = False
    """Show no progress."""
    running: EngineFlags = field(default_factory=EngineFlags)

    @property
    def engine_options(self) -> EngineOptions:
        """What the flags say of the engine."""
        return changed(EngineOptions(), self.running)


@dataclass(frozen=True, kw_only=True)
class StudyCommand(Output, StudyFlags):
    """A command on a study: what it is, and where everything goes."""

    kind: ClassVar[type[StudyConfig]] = StudyConfig
    """The study, or an experiment, whose settings the flags set."""

    out: Place = None
    """The run folder; a new one below runs/ by default."""

    study: Positional[Annotated[Path | None, arg(metavar="[STUDY]", help_behavior_hint="")]] = None
    """A study as YAML, such as the study.yaml of an earlier run, or a recipe by name
    (eleuther_2024, embedded/eleuther_2024); flags override it."""
    parts: Annotated[
        tuple[Path, ...] | None, arg(name="data", metavar="PATH ...", help_behavior_hint="")
    ] = None
    """In place of --task, data that are split already: folders with train_label.jsonl (for the
    supervisor), train_unlabel.jsonl (for the student) and test.jsonl, or three such files. With
    a --task that takes a file, that file (see: w2s tasks)."""
    model: ModelFlags = field(default_factory=ModelFlags)
    finetuning: TrainingFlags = field(default_factory=TrainingFlags)
    data: DataFlags = field(default_factory=DataFlags)

    def config(self, **models: str) -> StudyConfig:
        """The study that the flags describe.

        Args:
            models: names of the weak and of the strong one, in place of their flags; they do not
                take the usual rates of the study's, even where they are the same.
        """
        before = self._before()
        config = replace(changed(before, self), **models)
        if self.parts:
            config = replace(config, tasks=_parted(self.parts, self.task))
        config = replace(
            config,
            data=data_options(self.data, config.data),
            weak=changed(config.weak, self.model, "weak"),
            strong=changed(config.strong, self.model, "strong"),
            # Intermediates are adapted as the student, further supervisors as the supervisor.
            intermediates=self._several(config.intermediates, "strong"),
            supervisors=self._several(config.supervisors, "weak") or (),
        )
        _check_named(config, given(self))
        trainings = {
            f"{role}_training": self._training(role, before, config, role in models)
            for role in ("weak", "strong")
        }
        return replace(config, **trainings)

    def _before(self) -> StudyConfig:
        """The study in the file that is named, or the default one.

        Raises:
            UserError: for a file that is no study, or the name of a task in place of one.
        """
        if self.study is None:
            return self.kind()
        study = recipe_at(self.study.expanduser())
        if not study.exists():
            from weak2strong.tasks import GROUPS, SOURCES, TASKS

            reference = str(self.study)
            if any(reference.partition("=")[0] in names for names in (TASKS, GROUPS, SOURCES)):
                raise UserError(
                    f"{reference} is a task, and no file of a study: write --task {reference}."
                )
        return read_study(study, self.kind)

    def _several(self, models: Iterable[ModelSpec] | None, role: str) -> Any:
        """Models with the flags of a role; None where the study leaves them open."""
        return models and tuple(changed(model, self.model, role) for model in models)

    def _training(
        self, role: str, before: StudyConfig, config: StudyConfig, named: bool
    ) -> Training:
        """The training of a role, once its model is known; ``named`` if a command names that."""
        own = given(self.finetuning, role)
        training: Training = getattr(before, f"{role}_training")
        old, new = getattr(before, role), getattr(config, role)
        if not new.is_trained:
            if alone := flags_of(self.finetuning, role):
                raise UserError(
                    f"--{alone[0]} is for a model that is trained, and by --{role}-adaptation "
                    f"{new.adaptation} nothing of {new.name} is: leave one of the two out."
                )
            return replace(training, learning_rate=None, head_rate=None)
        if "learning_rate" in own:
            training = replace(training, head_rate=None)
        elif named or (old.name, old.adaptation) != (new.name, new.adaptation):
            training = _rates_for(role, training, old, new)
        return changed(training, self.finetuning, role)


def _check_named(config: StudyConfig, named: Mapping[str, Any]) -> None:
    """Refuse a model of the usual pair that was named for a task whose items it does not read.

    Where nobody names it, such a task has a pair of its own, and later nobody can tell.

    Args:
        config: the study.
        named: what the user gave by flags.

    Raises:
        UserError: for such a model.
    """
    usual = StudyConfig()
    roles = [r for r in ("weak", "strong") if named.get(r) == getattr(usual, r).name]
    if not roles:
        return
    from weak2strong.engine.sizes import tasks_here
    from weak2strong.models.reads import check_reads
    from weak2strong.tasks import expand

    for task in tasks_here(config, expand(config.tasks)):
        for role in roles:
            check_reads(getattr(config, role), task.name, task.inputs)


def _rates_for(role: str, training: Training, old: ModelSpec, new: ModelSpec) -> Training:
    """A study's training for another model, or another adaptation, than the study names.

    Rates that were chosen stay; those that are the usual ones of the old model, as in the
    study.yaml of a run, make room for the usual ones of the new. Either is told.
    """
    unset = replace(training, learning_rate=None, head_rate=None)
    if training == unset:
        return training
    usual = _usual_rates(old) if old.is_trained else None
    if usual and training.with_rates(usual) == unset.with_rates(usual):
        told, training = "the rates that are usual for it, as the study had those of", unset
    else:
        told = f"the learning rate {training.learning_rate} that the study has for"
    tell(
        f"{new.name} ({new.adaptation}) takes {told} {old.name} ({old.adaptation}): "
        f"--{role}-lr sets another."
    )
    return training


def _usual_rates(model: ModelSpec) -> tuple[float, float] | None:
    """The usual rates of a model; None where nothing on this machine tells them."""
    from weak2strong.ground.hub import offline
    from weak2strong.models.rates import usual_rates

    try:
        with offline():
            return usual_rates(model)
    except UserError:
        return None


def _parted(paths: tuple[Path, ...], tasks: tuple[str, ...] | None) -> tuple[str, ...]:
    """References of tasks that are split already: one a folder, or one of three files; or of the
    file of a source, which is not."""
    from weak2strong.tasks import SOURCES
    from weak2strong.tasks.parts import NAMES, three_files

    name, *others = tasks or ("",)
    if name in SOURCES and not others and not SOURCES.get(name).repo:
        source = SOURCES.get(name)
        path, *more = paths
        if more:
            raise UserError(f"{source.name} takes one {source.takes}, not {len(paths)}.")
        return (f"{source.name}={path}",)
    if tasks:
        raise UserError("--task and --data both name tasks: leave one of them out.")
    if len(paths) == 3 and not any(path.is_dir() for path in paths):
        return (",".join(map(str, paths)),)
    for path in paths:
        if not path.is_dir() or three_files(str(path)) is None:
            raise UserError(
                f"--data takes folders with {', '.join(NAMES)}, or three such files, "
                f"and {path} is no such folder."
            )
    return tuple(map(str, paths))
