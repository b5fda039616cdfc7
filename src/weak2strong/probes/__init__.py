"""Probes: small classifiers on frozen features, and what the spelling alone gives away.

Those that a method can take by name are in `PROBES`; the functions beneath them
stand here too.
"""

from __future__ import annotations

from typing import Any

from weak2strong.ground.registry import Registry
from weak2strong.probes.knn import knn_labels, mean_labels, nearest
from weak2strong.probes.logistic import LogisticProbe, fit_logistic, fit_penalties
from weak2strong.probes.ngrams import ngram_baseline, ngram_comparison, ngram_neighbour

# Before the function `probe` below: the first import of a submodule binds its name here.
from weak2strong.probes.probe import Probe
from weak2strong.probes.selection import select_penalty
from weak2strong.probes.sweep import sweep_knn, sweep_logistic
from weak2strong.probes.topofilter import topo_cc, topofilter

__all__ = [
    "PROBES",
    "LogisticProbe",
    "Probe",
    "fit_logistic",
    "fit_penalties",
    "knn_labels",
    "mean_labels",
    "nearest",
    "ngram_baseline",
    "ngram_comparison",
    "ngram_neighbour",
    "probe",
    "select_penalty",
    "sweep_knn",
    "sweep_logistic",
    "topo_cc",
    "topofilter",
]

PROBES = Registry(
    "probe",
    {
        "knn": "weak2strong.probes.knn_probe:Knn",
        "knn-without-itself": "weak2strong.probes.knn_probe:KnnWithoutItself",
        "logistic": "weak2strong.probes.logistic_probe:Logistic",
        "topofilter": "weak2strong.probes.topofilter:TopoFilter",
    },
)


def probe(name: str, **settings: Any) -> Probe:
    """The probe of that name, such as ``probe("knn", k=20)``.

    Raises:
        UserError: no such probe, no such setting, or a setting out of range.
    """
    return PROBES.build(name, settings)
