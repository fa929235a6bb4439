"""Settings of the ensemble rule dev_weighted."""

from __future__ import annotations

from typing import Literal

from pipeline.params.rules.base import RuleSettings


class DevWeighted(RuleSettings):
    """Mean of the members' class probabilities, weighted by their dev scores."""

    kind: Literal["dev_weighted"]
