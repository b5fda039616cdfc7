"""The stages of the protocol: supervisor, ceiling, student, two checks, and a search for rates.

Stages pull what they need: a student pulls its weak labels, and these pull the supervisor. What
the store has is read, the rest is computed; so the order of an engine's steps only decides which
of them wait for others.
"""

from weak2strong.protocol.stages.ceiling import ceiling
from weak2strong.protocol.stages.checks import has_ngrams, has_probe, ngrams, probe_ceiling
from weak2strong.protocol.stages.finetune import Trace
from weak2strong.protocol.stages.finetuning import HELD_OUT, PREDICTED
from weak2strong.protocol.stages.foreknown import foreknown
from weak2strong.protocol.stages.kept_models import kept_model
from weak2strong.protocol.stages.labels import temperature_of, weak_labels
from weak2strong.protocol.stages.learners import is_read_once
from weak2strong.protocol.stages.rates import FoundRates, found_rates
from weak2strong.protocol.stages.students import left_out, student, traced_student
from weak2strong.protocol.stages.supervisor import supervisor
from weak2strong.protocol.stages.sweeps import Sweep, sweep
from weak2strong.protocol.stages.trusted import trusted_alone

__all__ = [
    "HELD_OUT",
    "PREDICTED",
    "FoundRates",
    "Sweep",
    "Trace",
    "ceiling",
    "foreknown",
    "found_rates",
    "has_ngrams",
    "has_probe",
    "is_read_once",
    "kept_model",
    "left_out",
    "ngrams",
    "probe_ceiling",
    "student",
    "supervisor",
    "sweep",
    "temperature_of",
    "traced_student",
    "trusted_alone",
    "weak_labels",
]
