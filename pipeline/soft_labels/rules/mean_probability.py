"""The paper's rule: the mean of the members' class probabilities."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from pipeline.soft_labels.ensemble_rules import softmax
from pipeline.soft_labels.rules.base import RULES, Doubles, EnsembleRule, mean


@RULES.register("mean_probability")
class MeanProbability(EnsembleRule):
    """Q = avg(Q^1, ..., Q^K), Q^k being member k's softmax: arXiv 1904.09482, Eq. 3.

    The paper has no temperature: it is the case T = 1.
    """

    def probabilities(
        self, logits: npt.NDArray[Any], shares: Doubles, temperature: float
    ) -> Doubles:
        """Mean of `softmax(z^k / T)`."""
        return mean(softmax(logits, temperature), shares)
