"""Settings of the soft losses, the student's distance from its soft labels: one module per kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.params import kinds
from pipeline.params.losses.base import SoftLossSettings
from pipeline.runtime import discovery

KINDS = kinds.by_kind(discovery.subclasses(__name__, SoftLossSettings))
"""Settings of each soft loss by the word in params.yaml."""

if TYPE_CHECKING:
    SoftLoss = SoftLossSettings
else:
    SoftLoss = kinds.union(KINDS)
