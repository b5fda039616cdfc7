"""Probes: small classifiers on frozen features, and what the spelling alone gives away."""

from weak2strong.probes.logistic import LogisticProbe, fit_logistic, select_penalty
from weak2strong.probes.ngrams import ngram_baseline

__all__ = ["LogisticProbe", "fit_logistic", "ngram_baseline", "select_penalty"]
