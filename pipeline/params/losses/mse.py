"""Settings of the squared distance of logits."""

from __future__ import annotations

from typing import ClassVar, Literal

from pipeline.params.losses.base import SoftLossSettings


class LogitMse(SoftLossSettings):
    """Squared distance of centred logits."""

    softens: ClassVar[bool] = False

    kind: Literal["mse"]
