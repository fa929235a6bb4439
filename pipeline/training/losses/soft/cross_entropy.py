"""Cross-entropy between the student's softened probabilities and the soft targets."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812, the field's own abbreviation
from torch import Tensor

from pipeline.params.losses.cross_entropy import CrossEntropy
from pipeline.training.losses.soft.base import SOFT_LOSSES


@SOFT_LOSSES.register("cross_entropy")
def loss(
    logits: Tensor, targets: Tensor, classes: Tensor, temperature: float, settings: CrossEntropy
) -> Tensor:
    """Cross-entropy of each row, see `cross_entropy`."""
    return cross_entropy(logits, targets, temperature)


def cross_entropy(logits: Tensor, targets: Tensor, temperature: float = 1.0) -> Tensor:
    """Cross-entropy `-T^2 sum_c Q(c|X) log P(c|X; T)`: arXiv 1904.09482, Eq. 4 at T = 1."""
    log_probabilities = F.log_softmax(logits / temperature, dim=1)
    return -(targets * log_probabilities).sum(1) * temperature**2
