"""Logistic regression on weak labels, with the penalty as the post counts it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from weak2strong.config.fields import NotNegative
from weak2strong.config.settings import settings
from weak2strong.probes.logistic import fit_logistic
from weak2strong.probes.probe import Answering


@settings("the probe logistic")
class Logistic(Answering):
    """Minimises mean cross-entropy plus ``penalty * ||W||^2``, the bias free of penalty.

    EleutherAI, *Experiments in Weak-to-Strong Generalization* (2024), on features
    as they come. W is what predicts: one column with two classes (a sigmoid), a
    column a class with more (a softmax). For any number of classes this is
    scikit-learn's ``LogisticRegression(C=1 / (2 * n * penalty))`` on the same n rows.
    `fit_logistic` has two columns for two classes: see `softmax_penalty`.

    On the training points it answers as it was fitted to them, so `keep` drops the
    labels that it could not fit.

    Raises:
        UserError: a penalty that is no finite number from 0 on.
    """

    penalty: NotNegative = 0.01
    """Of the squared weights. The post takes 1e-2, its code 1e-3."""
    standardise: bool = False
    """Scale features to unit variance first, so that the penalty weighs all alike."""

    summary: ClassVar[str] = "logistic regression with a squared penalty"
    source: ClassVar[str] = "EleutherAI 2024"

    def predict(
        self, features: np.ndarray, labels: np.ndarray, queries: np.ndarray | None
    ) -> np.ndarray:
        """The fitted probabilities ``(m, classes)``; arguments and errors are those of `Probe`."""
        penalty = softmax_penalty(self.penalty, labels.shape[1])
        fitted = fit_logistic(features, labels, penalty=penalty, standardise=self.standardise)
        return fitted.predict(features if queries is None else queries)


def softmax_penalty(penalty: float, classes: int) -> float:
    """What `fit_logistic`, with a column a class, must take for a penalty of `Logistic`.

    With two classes its columns are v/2 and -v/2 of the one column v, so their squares
    add up to half of ``||v||^2``, and the penalty is twice as large.
    """
    return 2 * penalty if classes == 2 else penalty
