"""What a model can be used for on this machine, found by trying."""

from __future__ import annotations

from dataclasses import dataclass, replace

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.check import Adapted, Checked
from weak2strong.protocol.trial import Trial, try_out
from weak2strong.protocol.trials import try_small


@dataclass(frozen=True)
class Outcome:
    """What came out of a trial.

    Attributes:
        works: None where it was not tried, as the model would not fit into memory.
        said: why it does not work, as a sentence.
    """

    works: bool | None
    said: str = ""


@dataclass(frozen=True)
class Uses:
    """What a model can be used for.

    Attributes:
        trained: by adaptation.
        asked: by the name of what else is done with it: ``activations``, and of a decoder
            ``prompting`` and ``generation``, for which it is trained to write.
    """

    trained: dict[Adapted, Outcome]
    asked: dict[str, Outcome]


def uses_of(spec: ModelSpec, checked: Checked) -> Uses:
    """Try what a study does with a model: a step of training by each adaptation, and each read.

    Where its weights are more than the memory, small models of its architecture are tried.

    Args:
        spec: the model.
        checked: what was found out about it.

    Raises:
        UserError: where it cannot be trained by any adaptation that fits into memory.
    """
    trained = dict[Adapted, Outcome]()
    for need in checked.needs:
        trial = Trial(replace(spec, adaptation=need.adaptation), longest=checked.read)
        if need.fault:
            outcome = Outcome(False, need.fault)
        elif checked.loaded and not checked.fits(need):
            outcome = Outcome(None)
        else:
            outcome = _outcome(trial, checked)
        trained[need.adaptation] = outcome
    known = [outcome for outcome in trained.values() if outcome.works is not None]
    if known and not any(outcome.works for outcome in known):
        raise UserError(known[-1].said)
    asked = {"activations": _outcome(Trial(spec, "activations", longest=checked.read), checked)}
    if checked.decoder:
        asked["prompting"] = _outcome(Trial(spec, "prompting", longest=checked.read), checked)
        asked["generation"] = _writing(spec, checked, trained)
    return Uses(trained, asked)


def _writing(
    spec: ModelSpec,
    checked: Checked,
    trained: dict[Adapted, Outcome],
) -> Outcome:
    """Whether it can be trained to write, by the first adaptation that works with a head."""
    for adaptation in ("full", "lora"):
        if trained[adaptation].works:
            model = replace(spec, adaptation=adaptation)
            return _outcome(
                Trial(model, kind="generation", classes=0, longest=checked.read), checked
            )
    return Outcome(None)


def _outcome(trial: Trial, checked: Checked) -> Outcome:
    """What comes out of a trial of the model, or of small ones where it is too large to load."""
    try:
        if checked.loaded:
            try_out(trial)
        else:
            try_small(trial.model, [trial])
    except UserError as e:
        return Outcome(False, str(e))
    return Outcome(True)
