"""The stages of the protocol: supervisor, ceiling, student, and two checks.

Stages pull what they need: a student pulls its weak labels, and these pull the supervisor. What
the store has is read, the rest is computed; so the order of an engine's steps only decides which
of them wait for others.
"""

from weak2strong.protocol.stages.ceiling import ceiling
from weak2strong.protocol.stages.checks import has_probe, ngrams, probe_ceiling
from weak2strong.protocol.stages.finetuning import HELD_OUT, PREDICTED, Trace
from weak2strong.protocol.stages.labels import temperature_of, weak_labels
from weak2strong.protocol.stages.students import student, traced_student
from weak2strong.protocol.stages.supervisor import supervisor
from weak2strong.protocol.stages.sweeps import Sweep, sweep

__all__ = [
    "HELD_OUT",
    "PREDICTED",
    "Sweep",
    "Trace",
    "ceiling",
    "has_probe",
    "ngrams",
    "probe_ceiling",
    "student",
    "supervisor",
    "sweep",
    "temperature_of",
    "traced_student",
    "weak_labels",
]
