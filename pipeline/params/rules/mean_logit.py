"""Settings of the ensemble rule mean_logit."""

from __future__ import annotations

from typing import Literal

from pipeline.params.rules.base import RuleSettings


class MeanLogit(RuleSettings):
    """Softmax of the members' mean logits."""

    kind: Literal["mean_logit"]
