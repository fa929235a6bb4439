"""Settings of the ensemble rule mean_probability."""

from __future__ import annotations

from typing import Literal

from pipeline.params.rules.base import RuleSettings


class MeanProbability(RuleSettings):
    """Mean of the members' class probabilities (arXiv 1904.09482, Eq. 3)."""

    kind: Literal["mean_probability"]
