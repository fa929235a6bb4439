"""Distillation by correlation: relations between classes and between rows, not values."""

from __future__ import annotations

import torch
from torch import Tensor

from pipeline.params.losses.dist import Correlation
from pipeline.training.losses.soft.base import SOFT_LOSSES, centred

_ROUNDING = 16.0
"""Spread, in units of the float type's own error, up to which a vector counts as constant."""


@SOFT_LOSSES.register("dist")
def loss(
    logits: Tensor, targets: Tensor, classes: Tensor, temperature: float, settings: Correlation
) -> Tensor:
    """DIST of each row, see `dist`."""
    return dist(logits, targets, settings.inter, settings.intra, temperature)


def dist(
    logits: Tensor, targets: Tensor, inter: float, intra: float, temperature: float = 1.0
) -> Tensor:
    """DIST `T^2 (inter d(rows) + intra d(columns))`, d = 1 - Pearson: arXiv 2205.10536, Eq. 8, 9.

    The part of the columns is one number of the batch, added to every row. Over two classes, or
    over two rows, a correlation is 1 or -1 and has no gradient: with two classes only the columns
    teach.

    Args:
        logits: student's logits.
        targets: soft targets.
        inter: weight of the distance within each row, over classes.
        intra: weight of the distance within each class, over the batch.
        temperature: T.
    """
    probabilities = torch.softmax(logits / temperature, dim=1)
    of_rows = _pearson_distance(probabilities, targets)
    of_columns = _pearson_distance(probabilities.T, targets.T).mean()
    return temperature**2 * (inter * of_rows + intra * of_columns)


def _pearson_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """1 - Pearson correlation of each row (Eq. 6).

    Where the teacher's row is constant there is nothing to follow: 0. Where only the student's is,
    it follows nothing: 1, as uncorrelated. Neither has a gradient.
    """
    (a, varies), (b, taught) = _unit(student), _unit(teacher)
    distance = 1 - (a * b).sum(1)
    return torch.where(varies, distance, torch.ones_like(distance)) * taught


def _unit(values: Tensor) -> tuple[Tensor, Tensor]:
    """Rows centred and scaled to length 1, and whether they vary by more than rounding."""
    limits = torch.finfo(values.dtype)
    rest = centred(values)
    square = rest.square().sum(1, keepdim=True)
    floor = values.detach().square().sum(1, keepdim=True) * (_ROUNDING * limits.eps) ** 2
    varies = square > floor.clamp(min=limits.tiny)
    # A constant row is divided by 1: its own length would put a NaN into the gradient.
    length = torch.where(varies, square, torch.ones_like(square)).sqrt()
    return rest / length, varies.squeeze(1)
