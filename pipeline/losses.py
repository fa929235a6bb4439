"""Hard and soft losses and their combination (arXiv 1904.09482, Eq. 4 and Fig. 2)."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812, the field's own abbreviation
from torch import Tensor

from pipeline.params.sections import Distillation


def hard(logits: Tensor, labels: Tensor) -> Tensor:
    """Loss against gold labels, a mean over the batch.

    Cross-entropy (arXiv 1901.11504, Eq. 6) for integer labels `(batch,)` and logits
    `(batch, classes)`; squared error (Eq. 7) for float labels and logits `(batch, 1)`.
    """
    if labels.is_floating_point():
        return F.mse_loss(logits.squeeze(1), labels)
    return F.cross_entropy(logits, labels)


def soft(logits: Tensor, targets: Tensor, temperature: float = 1.0) -> Tensor:
    """Cross-entropy with soft targets: `-T^2 sum_c Q(c|X) log P(c|X; T)`, Eq. 4 at T = 1.

    The factor T^2 keeps the gradient's size when T changes (Hinton et al. 2015, section 2.1).

    Args:
        logits: student's logits `(batch, classes)`.
        targets: teachers' probabilities `(batch, classes)`, softened by the same temperature.
        temperature: T, above 0.
    """
    log_probabilities = F.log_softmax(logits / temperature, dim=1)
    return -(targets * log_probabilities).sum(1).mean() * temperature**2


def soft_regression(logits: Tensor, targets: Tensor) -> Tensor:
    """Squared error against the teachers' scores; both `(batch, 1)`."""
    return F.mse_loss(logits, targets)


def combined(
    logits: Tensor, labels: Tensor, targets: Tensor | None, settings: Distillation | None
) -> Tensor:
    """Loss of Line 3 of Algorithm 1: hard alone, or the weighted mean of hard and soft.

    Args:
        logits: `(batch, classes)`, or `(batch, 1)` for regression.
        labels: gold labels `(batch,)`.
        targets: soft targets `(batch, classes or 1)`; None for a task without teachers.
        settings: weights and temperature; None for training without soft labels.
    """
    logits = logits.float()  # losses are summed in float32 under any autocast
    if targets is None or settings is None:
        return hard(logits, labels)
    if labels.is_floating_point():
        taught = soft_regression(logits, targets)
    else:
        taught = soft(logits, targets, settings.temperature)
    return torch.lerp(taught, hard(logits, labels), settings.hard_weight)
