"""Squared distance of the student's centred logits from the teachers' centred log probabilities."""

from __future__ import annotations

import torch
from torch import Tensor

from pipeline.params.losses.mse import LogitMse
from pipeline.training.losses.soft.base import SOFT_LOSSES, centred


@SOFT_LOSSES.register("mse")
def loss(
    logits: Tensor, targets: Tensor, classes: Tensor, temperature: float, settings: LogitMse
) -> Tensor:
    """Squared distance of each row, see `mse`; the temperature is 1."""
    return mse(logits, targets)


def mse(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean over classes of the squared difference of centred logits.

    The limit of distillation at a high temperature (arXiv 1503.02531, Eq. 4). Probabilities fix
    logits up to a constant, so both sides are centred; a probability of 0 counts as the smallest
    normal float.
    """
    logs = targets.clamp(min=torch.finfo(targets.dtype).tiny).log()
    return (centred(logits) - centred(logs)).square().mean(1)
