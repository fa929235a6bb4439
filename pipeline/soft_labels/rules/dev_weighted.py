"""The mean of the members' class probabilities, weighted by their dev scores."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pipeline.errors import SoftLabelError
from pipeline.soft_labels.rules.base import RULES, WeightedRule
from pipeline.soft_labels.rules.mean_probability import MeanProbability


@RULES.register("dev_weighted")
class DevWeighted(MeanProbability, WeightedRule):
    """arXiv 1904.09482, Eq. 3, with a weight for each member."""

    caution = (
        "Members are weighted by their dev scores, so the ensembles' dev figures are flattered."
    )

    def weights(self, dev: Mapping[str, float]) -> dict[str, float]:
        """Weights in proportion to the dev scores, see `dev_weights`."""
        return dev_weights(dev)


def dev_weights(scores: Mapping[str, float]) -> dict[str, float]:
    """Weights in proportion to each member's dev score.

    Args:
        scores: dev score of each member, a fraction; one below 0 counts as 0.

    Returns:
        Weights by member, adding up to 1; equal if no score is above 0.

    Raises:
        SoftLabelError: a score is NaN or infinite.
    """
    for member, score in scores.items():
        if not math.isfinite(score):
            raise SoftLabelError("a dev score is not finite", seen=score, where=member)
    floored = {member: max(float(score), 0.0) for member, score in scores.items()}
    total = math.fsum(floored.values())
    if total == 0.0:
        return dict.fromkeys(scores, 1.0 / len(scores)) if scores else {}
    return {member: score / total for member, score in floored.items()}
