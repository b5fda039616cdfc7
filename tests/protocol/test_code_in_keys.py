"""The code in keys: whatever runs while a stage is made is in its key, and little else is."""

import re
import sys
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest

import weak2strong
from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.ground.code.used import Code, code_of
from weak2strong.ground.store import Store
from weak2strong.losses import loss
from weak2strong.methods import every_method
from weak2strong.models.kept import KEPT, keeping
from weak2strong.protocol import stages, task_run
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.stages import students, sweeps
from weak2strong.protocol.stages.finetune import finetune, finetuned_activations, traced
from weak2strong.protocol.stages.finetuning import on_truth
from weak2strong.protocol.stages.frozen import after_reading, all_activations, prompted
from weak2strong.protocol.task_run import RULES, MissingError, TaskRun
from weak2strong.simulators import SIMULATORS
from weak2strong.tasks import TASKS
from weak2strong.tasks.splits import Splits, make_splits

ROOT = Path(weak2strong.__file__).parent
HERE = str(ROOT)

METHODS = (
    "naive",
    "probe-filter:logistic+confidence",
    "finetune-then-probe",
    "generative",
    "zero-shot",
    "ensemble:size=2",
    "bootstrapping",
)
"""Methods that between them use every building block of a context."""


@pytest.fixture(scope="module")
def study(quick_study):
    quick = Training(epochs=1, evaluations=1, learning_rate=3e-3, stopping="weak-validation")
    return replace(
        quick_study,
        weak_training=replace(quick, stopping="none"),
        strong_training=quick,
        intermediates=(quick_study.strong,),
    )


def run_of(study, store, reference="atlas-southern", examples=32, **changes) -> TaskRun:
    """A task run on few examples, which have every class in every split."""
    task = TASKS.get(reference)
    whole = make_splits(task)
    names = ("weak_train", "strong_train", "validation", "test")
    splits = Splits(*(tuple(whole.examples(s)[:examples]) for s in names))
    config = resolved(replace(study, tasks=(reference,), methods=("naive",), **changes))
    return TaskRun(config, Store(store), reference, task, splits)


class Watch:
    """Notes which functions of ours run while a stage is made, and are not in its code."""

    def __init__(self, monkeypatch):
        # By the identity of code objects, whose hashes are slow, with the objects themselves.
        self.codes, self.making, self.seen = {}, [], {}
        self.missed: set[tuple[str, str]] = set()
        self.ran: set[str] = set()

        def noted(source, made_by, named, words):
            found = code_of(source, made_by, named, words)
            self.codes[id(made_by.__code__)] = made_by.__code__, found
            return found

        monkeypatch.setattr(task_run, "code_of", noted)

    def __enter__(self):
        sys.settrace(self._called)

    def __exit__(self, *failure):
        sys.settrace(None)

    def _called(self, frame, event, arg):
        """Hears of every function that begins; where a stage is made, another hears of its end."""
        code = frame.f_code
        makes = self.codes.get(id(code))
        if makes:
            self.making.append(makes)
            self.seen.clear()
        if id(code) not in self.seen:
            self.seen[id(code)] = code
            if code.co_filename.startswith(HERE):
                for made, found in self.making:
                    self._check(code, made, found)
        if not makes:
            return None
        frame.f_trace_lines = False
        return self._ended

    def _ended(self, frame, event, arg):
        if event == "return" and self.making and self.making[-1][0] is frame.f_code:
            self.making.pop()
        return self._ended

    def _check(self, code, made, found: Code):
        module = Path(code.co_filename).relative_to(ROOT).with_suffix("").as_posix()
        module = module.replace("/", ".").removesuffix(".__init__")
        outer = code.co_qualname.partition(".<locals>")[0]
        optimised = code.co_flags & 1  # not the body of a module or a class, which imports run
        names = {f"weak2strong.{module}", f"weak2strong.{module}:{outer.partition('.')[0]}"}
        beside = any(n == b or n.startswith(b + ".") for n in names for b in RULES.beside)
        beside |= outer.rpartition(".")[2] in RULES.texts
        if not optimised or beside or outer.startswith("<"):
            return
        self.ran.add(f"{module}: {outer}")
        inner = code.co_qualname.replace(".<locals>", "")
        nested = any(p.startswith(f"{module}: {outer}.") for p in found.pieces)
        if not nested and not {f"{module}: {n}" for n in (outer, inner)} & set(found.pieces):
            self.missed.add((made.co_qualname, f"{module}: {code.co_qualname}"))


def check_all_runs(
    study, folder, monkeypatch, methods, simulated, tasks=("atlas-southern",), examples=32
):
    # Imports are slow while calls are watched.
    import sklearn.linear_model  # noqa: F401
    import transformers.models.llama.modeling_llama  # noqa: F401

    watch = Watch(monkeypatch)
    for task in tasks:
        run = run_of(study, folder, task, examples)
        kind = run.task.kind
        with keeping(), watch:
            stages.ngrams(run)
            for method in methods if kind == "classification" else ("naive", "generative"):
                stages.student(run, method, 0)
            if kind != "generation":
                stages.probe_ceiling(run)
                stages.sweep(run, stages.Sweep("knn", (1, 2), (0, 2)), 0)
    for name in simulated:
        made_up = run_of(study, folder, simulated=name, simulated_accuracy=0.8)
        with keeping(), watch:
            stages.weak_labels(made_up, 0)
    KEPT.empty()
    assert watch.missed == set()
    # The watch saw what it should: training, answering, and what checks are made of.
    assert {"training.loop: train", "training.predict: predict", "probes.knn: nearest"} < watch.ran


def test_whatever_runs_while_a_stage_is_made_is_in_its_code(study, tmp_path, monkeypatch):
    check_all_runs(study, tmp_path, monkeypatch, METHODS, ("own-errors",))


@pytest.mark.slow
def test_whatever_runs_in_any_method_is_in_the_code(study, tmp_path, monkeypatch):
    prompting = ("few-shot", "few-shot-weak")  # their warning of long prompts is an error here
    methods = [*every_method(), "oracle-stopping"]
    chosen = [m for m in methods if m.partition(":")[0] not in prompting]
    simulated = [name for name in SIMULATORS if name != "trivial-imitation"]
    tasks = ("atlas-southern", "atlas-preference", "atlas-generation")
    # Toy models have no room for all of these texts.
    small, large = ModelSpec("atlas-xs"), ModelSpec("atlas-s")
    study = replace(study, weak=small, strong=large, intermediates=(small,))
    check_all_runs(study, tmp_path, monkeypatch, chosen, simulated, tasks, examples=80)


@dataclass(frozen=True)
class Edit:
    """An edit of our source, and the stages that it makes anew.

    Attributes:
        of: a registry, or what else the edited source is.
        file: below the package.
        old: a text in it.
        new: the text in its place, everywhere in the file.
        stages: labels of `asked_stages`, or the words that these begin with.
    """

    of: str
    file: str
    old: str
    new: str
    stages: tuple[str, ...] = ()


FITS = ("fit", "student", "traced", "activations of a fit")
"""Stages that finetune, or whose methods may."""

TRAINED = (*FITS, "reading", "rates")

WITH_HEAD = (
    *("fit cross-entropy", "fit confidence", "fit preference", "student", "traced"),
    *("activations", "probe", "sweep", "simulated", "rates classification"),
)
"""Stages for which a model with a head is loaded, or may be."""

LOADED = (*TRAINED, "activations", "probe", "sweep", "simulated", "prompted")
"""Stages for which a model is loaded, or may be."""

EDITS = (
    # What is found by a name counts where the name is used.
    Edit(
        "LOSSES",
        "losses/confidence.py",
        "+ a * own",
        "+ 2 * a * own",
        ("fit confidence", "student confidence", "student probe-filter:logistic+confidence"),
    ),
    Edit("LOSSES", "losses/kl.py", "    def per_example", "    x = 1\n\n    def per_example"),
    Edit(
        "METHODS",
        "methods/confident_only.py",
        "LEAST = 0.1",
        "LEAST = 0.2",
        ("student confident-only",),
    ),
    Edit("METHODS", "methods/confident_only.py", '"leaves out the labels', '"drops the labels'),
    Edit("METHODS", "methods/__init__.py", '        "entropy",\n', ""),
    Edit(
        "PROBES",
        "probes/knn_probe.py",
        "k=self.k, itself=itself",
        "k=2 * self.k, itself=itself",
        ("student probe-predict:knn", "student probe-filter:logistic+confidence"),
    ),
    Edit("PROBES", "probes/knn_probe.py", '"mean weak label of the k nearest, itself', '"all of'),
    Edit(
        "PROBES",
        "probes/knn.py",
        "labels = np.asarray(labels, dtype=float)",
        "labels = np.asarray(labels)",
        # The usual probe of a filter is one of neighbours, and its name stands in the method.
        ("student probe-predict:knn", "student probe-filter:logistic+confidence", "sweep knn"),
    ),
    Edit(
        "SIMULATORS",
        "simulators/random_flips.py",
        "np.zeros",
        "np.ones",
        ("simulated random-flips",),
    ),
    Edit("SIMULATORS", "simulators/random_flips.py", "labels drawn at random", "labels anywhere"),
    # What is found by the kind of a task, or by a metric's name.
    Edit(
        "kinds",
        "protocol/stages/learners.py",
        "working, partial(answers, items))",
        "working, ask=partial(answers, items))",
        ("fit cross-entropy", "fit confidence", "fit preference", "student"),
    ),
    Edit(
        "kinds",
        "training/writing.py",
        "// JUDGED)",
        "// (1 + JUDGED))",
        ("fit generation", "rates generation"),
    ),
    Edit(
        "kinds",
        "probes/ngrams.py",
        "INVERSE_PENALTY, max_iter=1000",
        "INVERSE_PENALTY, max_iter=999",
        ("ngrams classification",),
    ),
    Edit("kinds", "probes/ngrams.py", "alike.argmax", "(-alike).argmin", ("ngrams generation",)),
    Edit("metrics", "ground/metrics.py", "[1] if classes == 2", "[0] if classes == 2"),
    Edit(
        "metrics",
        "ground/metrics.py",
        "probabilities.argmax(axis=1) == labels",
        "(-probabilities).argmin(axis=1) == labels",
        ("fit cross-entropy", "fit confidence", "fit preference", "student", *FITS[2:]),
    ),
    Edit(
        "metrics",
        "ground/written.py",
        '.removesuffix(".")',
        '.removesuffix("!")',
        ("fit generation", "simulated random-flips", "simulated longest"),
    ),
    Edit("OWN_METRICS", "ground/own_metrics.py", "return ", "return 0 or "),
    # Data are in keys by their digests, however they are made.
    Edit("TASKS", "subjects/atlas/attributes.py", "return ", "return 0 or "),
    Edit("GROUPS", "tasks/__init__.py", "GROUPS.get(name)", "GROUPS.get(str(name))"),
    Edit("SOURCES", "subjects/literature/sentences.py", '"CC BY-NC 4.0"', '"CC BY 4.0"'),
    Edit("SOURCES", "subjects/chess/notation.py", "is no legal move", "cannot be played"),
    Edit("SOURCES", "tasks/objects.py", "json.loads(line)", "json.loads(line.strip())"),
    Edit("PICTURES", "subjects/chess/boards.py", "return ", "return 0 or "),
    Edit("OPTIONS", "subjects/chess/options.py", " = ", " = 0 or "),
    Edit("COMMANDS", "subjects/chess/commands.py", " = ", " = 0 or "),
    Edit("splits", "tasks/splits.py", "fromkeys(want, 0)", "fromkeys(want, 0) or {}"),
    # What is made of stages, after them.
    Edit("ANALYSES", "analysis/analyses/calibration.py", "return ", "return 0 or "),
    Edit("CHECKS", "analysis/audit/length.py", "return ", "return 0 or "),
    Edit("MODEL_CHECKS", "analysis/audit/truncation.py", "return ", "return 0 or "),
    Edit("EXPERIMENTS", "experiments/grid.py", "return ", "return 0 or "),
    Edit("SHOWN", "report/page.py", "return ", "return 0 or "),
    Edit("PARTS", "report/parts/examples.py", "return ", "return 0 or "),
    Edit("SHOWN", "report/notebook.py", "return ", "return 0 or "),
    Edit("SHOWN", "analysis/finished.py", "return ", "return 0 or "),
    Edit("TRACKERS", "engine/tracking/tensorboard.py", "return ", "return 0 or "),
    Edit("FIGURES", "report/figures/scores.py", "return ", "return 0 or "),
    Edit("COMPARING_FIGURES", "report/figures/sizes.py", "return ", "return 0 or "),
    Edit("EXPERIMENT_FIGURES", "report/figures/sweep.py", "return ", "return 0 or "),
    Edit("engine", "engine/places.py", "workers=cores if", "workers=2 if"),
    Edit("flags", "cli/flags.py", "return ", "return 0 or "),
    # What methods share: how they follow each other counts where several do.
    Edit(
        "METHODS",
        "methods/reference.py",
        "for step in before:",
        "for step in before[1:]:",
        ("student confident-only", "student probe-filter:logistic+confidence"),
    ),
    Edit("METHODS", "methods/reference.py", "yield find_part(text)", "yield find_part(text, None)"),
    Edit("METHODS", "methods/method.py", "a student that is trained", "one that is trained"),
    Edit("METHODS", "methods/method.py", "reads: bool = False", "new: int = 1"),
    Edit("METHODS", "protocol/stages/returned.py", "that are no numbers", "without numbers"),
    Edit("SIMULATORS", "simulators/hints.py", 'HINT = " I', 'HINT = " We'),
    Edit("search", "protocol/halving.py", "REACH = 0.7", "REACH = 0.8", ("rates",)),
    # What every training shares, and what none does.
    Edit("training", "training/schedule.py", "return (step + 1) / warm", "return 1", TRAINED),
    Edit("training", "training/schedule.py", '"""Learning rate before', '"""The rate before'),
    Edit("training", "training/loop.py", "ran out of memory with one", "has no room for one"),
    Edit(
        "settings",
        "config/training.py",
        "schedule: Schedule = ",
        "new: int = 1\n    schedule: Schedule = ",
    ),
    Edit("settings", "config/training.py", 'evaluations")] = 6', 'evaluations")] = 7'),
    Edit("settings", "config/training.py", 'Flag("lr", "RATE"', 'Flag("lr", "NUMBER"'),
    Edit("settings", "config/study.py", "return ", "return 0 or "),
    Edit("training", "training/record.py", "activations computed twice", "computed twice"),
    Edit("training", "training/record.py", "padding: float | None", "padding: float"),
    Edit(
        "training",
        "training/loop.py",
        "AddGradients = Callable[[",
        "AddGradients = Callable[[int, ",
    ),
    Edit("models", "models/heads.py", "HEAD_SCALE = 0.01", "HEAD_SCALE = 0.02", WITH_HEAD),
    Edit("models", "models/folders.py", "= 64 * 2**20", "= 2**20", LOADED),
    Edit("models", "models/catalogue.py", "return ", "return 0 or "),
    Edit("models", "models/resolve.py", "return ", "return 0 or "),
    Edit("store", "ground/store/folder.py", "return ", "return 0 or "),
)


def asked_stages(study, folder, monkeypatch) -> dict[str, tuple]:
    """What the code of a key begins with, by a label of the stage; nothing is made."""
    asked: list[tuple] = []
    monkeypatch.setattr(
        task_run, "code_of", lambda source, *args: asked.append(args) or code_of(source, *args)
    )
    run = run_of(study, folder)
    truth = {s: students.true_labels_of(run, s) for s in stages.PREDICTED}
    monkeypatch.setattr(students, "weak_labels", lambda task_run, seed: truth)
    monkeypatch.setattr(sweeps, "weak_labels", lambda task_run, seed: truth)
    usual = on_truth(
        run, study.strong, study.strong_training, run.splits.strong_train, 0, "ceiling"
    )
    items = run.splits.items("test")
    methods = (
        "naive",
        "confidence",
        "confident-only",
        "probe-predict:knn",
        "probe-filter:logistic+confidence",
    )
    made_up = {
        name: run_of(study, folder, simulated=name, simulated_accuracy=0.8)
        for name in ("random-flips", "longest")
    }
    other = {kind: run_of(study, folder, f"atlas-{kind}") for kind in ("preference", "generation")}
    ask = {
        "fit cross-entropy": lambda: finetune(usual),
        "fit confidence": lambda: finetune(replace(usual, loss=loss("confidence"))),
        **{f"fit {kind}": partial(stages.ceiling, run, 0) for kind, run in other.items()},
        **{f"student {m}": partial(stages.student, run, m, 0) for m in methods},
        "rates classification": lambda: stages.found_rates(run, "strong"),
        "rates generation": lambda: stages.found_rates(other["generation"], "strong"),
        "traced": lambda: traced(usual),
        "activations of a fit": lambda: finetuned_activations(usual),
        "reading": lambda: after_reading(run, study.strong, items, 1, 0),
        "activations": lambda: all_activations(run, study.strong, (1,)),
        "probe": lambda: stages.probe_ceiling(run),
        "sweep knn": lambda: stages.sweep(run, stages.Sweep("knn", (1,), (1,)), 0),
        "sweep logistic": lambda: stages.sweep(run, stages.Sweep("logistic", (1.0,), (1,)), 0),
        "prompted": lambda: prompted(run, study.strong, [()], False, None),
        "ngrams classification": lambda: stages.ngrams(run),
        "ngrams generation": lambda: stages.ngrams(other["generation"]),
        **{f"simulated {n}": partial(stages.weak_labels, made_up[n], 0) for n in made_up},
    }
    codes = {}
    for label, stage in ask.items():
        for each in (run, *made_up.values(), *other.values()):
            each.compute = False
        with pytest.raises(MissingError):
            stage()
        codes[label] = asked[-1]
    return codes


@pytest.fixture(scope="module")
def codes(study, tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        asked = asked_stages(study, tmp_path_factory.mktemp("store"), monkeypatch)
    return asked, digests(asked, {})


def digests(asked, edits):
    source = task_run.OURS.edited(edits)
    return {label: code_of(source, *args).digest for label, args in asked.items()}


def made_anew(codes, edits):
    """The labels of stages whose code is another one after all these edits."""
    asked, before = codes
    texts = {}
    for edit in edits:
        text = texts.get(edit.file) or (ROOT / edit.file).read_text()
        assert edit.old in text, edit
        texts[edit.file] = text.replace(edit.old, edit.new)
    after = digests(asked, texts)
    return {label for label in asked if before[label] != after[label]}


@pytest.mark.parametrize(
    "edit", [e for e in EDITS if e.stages], ids=lambda e: f"{e.of}-{Path(e.file).stem}"
)
def test_an_edit_makes_anew_the_stages_that_it_can_change_and_no_others(codes, edit):
    asked, _ = codes
    assert made_anew(codes, [edit]) == {
        label for label in asked if any(f"{label} ".startswith(f"{s} ") for s in edit.stages)
    }


def test_edits_of_what_no_stage_reaches_make_nothing_anew(codes):
    """All of them at once; where they do, those that do it are found one by one."""
    edits = [e for e in EDITS if not e.stages]
    if made_anew(codes, edits):
        assert [(e.of, e.file, e.old) for e in edits if made_anew(codes, [e])] == []


def test_every_registry_has_its_row():
    """A new registry says here what its entries' source decides."""
    found = set()
    for file in ROOT.rglob("*.py"):
        text = file.read_text()
        found |= set(re.findall(r"^(\w+) = Registry\(", text, re.MULTILINE))
    assert found <= {edit.of for edit in EDITS}


def test_what_stands_beside_is_there():
    """A rule for a name that has gone would hide that its code counts again."""
    for name in (*RULES.beside, *RULES.settings, *RULES.registering):
        module, _, attribute = name.partition(":")
        assert not attribute or hasattr(import_module(module), attribute)
        import_module(module)
