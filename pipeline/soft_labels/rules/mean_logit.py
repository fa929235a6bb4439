"""The mean of the members' logits, then the softmax."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from pipeline.soft_labels.ensemble_rules import softmax
from pipeline.soft_labels.rules.base import RULES, Doubles, EnsembleRule, mean


@RULES.register("mean_logit")
class MeanLogit(EnsembleRule):
    """Q = softmax(avg(z^1, ..., z^K) / T)."""

    def probabilities(
        self, logits: npt.NDArray[Any], shares: Doubles, temperature: float
    ) -> Doubles:
        """Softmax of the mean logits."""
        return softmax(mean(logits, shares), temperature)
