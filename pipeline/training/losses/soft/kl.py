"""Kullback-Leibler divergence of the student's softened probabilities from the soft targets."""

from __future__ import annotations

import torch
from torch import Tensor

from pipeline.params.losses.kl import KullbackLeibler
from pipeline.training.losses.soft.base import SOFT_LOSSES
from pipeline.training.losses.soft.cross_entropy import cross_entropy


@SOFT_LOSSES.register("kl")
def loss(
    logits: Tensor, targets: Tensor, classes: Tensor, temperature: float, settings: KullbackLeibler
) -> Tensor:
    """Divergence of each row, see `kl`."""
    return kl(logits, targets, temperature)


def kl(logits: Tensor, targets: Tensor, temperature: float = 1.0) -> Tensor:
    """Divergence `T^2 KL(Q || P)`: cross-entropy less the targets' entropy, so 0 where P = Q.

    Its gradient, `T (P - Q)`, is that of cross-entropy (arXiv 1503.02531, Eq. 2 times T^2).
    """
    entropy = -torch.xlogy(targets, targets).sum(1)
    return cross_entropy(logits, targets, temperature) - temperature**2 * entropy
