"""Settings of the divergence from the soft labels."""

from __future__ import annotations

from typing import Literal

from pipeline.params.losses.base import SoftLossSettings


class KullbackLeibler(SoftLossSettings):
    """Kullback-Leibler divergence from the soft labels; its gradient is cross-entropy's."""

    kind: Literal["kl"]
