"""Weigh the hard and the soft loss of a batch (arXiv 1904.09482, Eq. 4 and Fig. 2)."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812, the field's own abbreviation
from torch import Tensor

from pipeline.params.distillation import Distillation
from pipeline.training.losses.soft.base import SOFT_LOSSES


def hard(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Loss of each row against its gold label, `(batch,)`.

    Cross-entropy (arXiv 1901.11504, Eq. 6) for integer labels `(batch,)` and logits
    `(batch, classes)`; squared error (Eq. 7) for float labels and logits `(batch, 1)`.

    Args:
        logits: student's logits.
        labels: gold labels.
        smoothing: share of each label that is spread evenly over all classes (arXiv 1512.00567,
            section 7); scores are never smoothed.
    """
    if labels.is_floating_point():
        return (logits.squeeze(1) - labels).square()
    return F.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)


def soft(
    logits: Tensor,
    labels: Tensor,
    known: Tensor | None,
    targets: Tensor,
    distillation: Distillation,
) -> Tensor:
    """Loss of each row against its soft target, `(batch,)`; scores have squared error always."""
    if labels.is_floating_point():
        return (logits - targets).square().squeeze(1)
    classes = labels if known is None else torch.where(known, labels, targets.argmax(1))
    settings = distillation.loss
    return SOFT_LOSSES[settings.kind](logits, targets, classes, distillation.temperature, settings)


def hard_weight(distillation: Distillation, progress: float) -> float:
    """Weight of the hard loss at this point of the training.

    Annealed, it is the share of the steps that are done: arXiv 1907.04829, teacher annealing.
    """
    if distillation.hard_weight == "annealed":
        return progress
    return distillation.hard_weight


def combined(
    logits: Tensor,
    labels: Tensor,
    known: Tensor | None,
    targets: Tensor | None,
    distillation: Distillation | None,
    progress: float,
    ranked: tuple[Tensor, float] | None = None,
) -> Tensor:
    """Loss of a batch: `L = s (w hard + (1 - w) soft)` of each row, then the mean over the rows.

    Line 3 of Algorithm 1 of arXiv 1904.09482, with the soft loss of Eq. 4; w is `hard_weight` and s
    is `scale`. A task without teachers has w = 1 and s = 1. A row without a gold label has w = 0; a
    row with neither gold label nor soft target does not count.

    Args:
        logits: `(batch, classes)`, or `(batch, 1)` for regression.
        labels: gold labels `(batch,)`, int64 or float32; any class or score where not known.
        known: whether the gold label is known, bool `(batch,)`; None for all.
        targets: soft targets `(batch, classes or 1)`, softened by the temperature already; None
            for a task without teachers.
        distillation: weights, temperature and kind of loss; None for training without soft labels.
        progress: share of the run's steps that are done, 0 to 1.
        ranked: the batch's ranking loss and its share of the hard loss; None for none. It learns
            from gold labels, so it is weighted as they are.

    Returns:
        Mean over the batch, a scalar.
    """
    logits = logits.float()  # losses are summed in float32 under any autocast
    smoothing = distillation.label_smoothing if distillation and targets is None else 0.0
    gold = hard(logits, labels, smoothing)
    if ranked is not None:
        gold = torch.lerp(gold, ranked[0].expand_as(gold), ranked[1])
    if targets is None or distillation is None:
        return _mean(gold, known)
    taught = soft(logits, labels, known, targets, distillation)
    both = torch.lerp(taught, gold, hard_weight(distillation, progress))
    rows = both if known is None else torch.where(known, both, taught)
    return distillation.scale * rows.mean()


def _mean(rows: Tensor, known: Tensor | None) -> Tensor:
    """Mean over the rows with a gold label; 0 if there are none."""
    if known is None:
        return rows.mean()
    return (rows * known).sum() / known.sum().clamp(min=1)
