"""Probes: small classifiers on frozen features, and what the spelling alone gives away."""

from weak2strong.probes.knn import knn_labels, mean_labels, nearest
from weak2strong.probes.logistic import LogisticProbe, fit_logistic, fit_penalties
from weak2strong.probes.ngrams import ngram_baseline, ngram_comparison
from weak2strong.probes.selection import select_penalty
from weak2strong.probes.topofilter import topo_cc, topofilter

__all__ = [
    "LogisticProbe",
    "fit_logistic",
    "fit_penalties",
    "knn_labels",
    "mean_labels",
    "nearest",
    "ngram_baseline",
    "ngram_comparison",
    "select_penalty",
    "topo_cc",
    "topofilter",
]
