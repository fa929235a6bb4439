"""Settings of cross-entropy with the soft labels."""

from __future__ import annotations

from typing import Literal

from pipeline.params.losses.base import SoftLossSettings


class CrossEntropy(SoftLossSettings):
    """Cross-entropy with the soft labels (arXiv 1904.09482, Eq. 4)."""

    kind: Literal["cross_entropy"]
