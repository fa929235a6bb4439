"""Distances between the features of two encoders; padding is ignored in both.

Both belong to the same rows: `(batch, length)` tokens, with the mask that both encoders read.
"""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F  # noqa: N812, the field's own abbreviation
from torch import Tensor

Kind = Literal["mse", "cosine"]

_SHORTEST = 1e-4
"""Length below which a vector's direction counts for less: its gradient stays a float16."""


def hidden(kind: Kind, student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    """Distance of token vectors, a mean over all tokens of the batch that are not padding.

    Args:
        kind: mse, squared error as a mean over units (arXiv 1909.10351, Eq. 8), or cosine, one
            less the cosine of both vectors (arXiv 1910.01108, section 3).
        student: `(batch, length, width)`, projected to the teacher's width.
        teacher: `(batch, length, width)`.
        mask: `(batch, length)`, 0 for padding.

    Returns:
        A scalar, float32.
    """
    student, teacher = student.float(), teacher.float()
    if kind == "mse":
        return _mean((student - teacher).square().mean(2), mask)
    return _mean(1 - F.cosine_similarity(student, teacher, dim=2, eps=_SHORTEST), mask)


def attention(kind: Kind, student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    """Distance of attention probabilities, a mean over tokens that are not padding and heads.

    Heads are compared in order; where their numbers differ, the means over heads are. mse is a
    mean over the tokens of the row that can be attended to (arXiv 1909.10351, Eq. 7, there on
    scores before the softmax); cosine is between a token's two distributions over them.

    Args:
        kind: mse or cosine.
        student: `(batch, heads, length, length)`, the attending token first.
        teacher: `(batch, heads, length, length)`, its number of heads may differ.
        mask: `(batch, length)`, 0 for padding.

    Returns:
        A scalar, float32.
    """
    if student.shape[1] != teacher.shape[1]:
        student, teacher = student.mean(1, keepdim=True), teacher.mean(1, keepdim=True)
    attended = mask[:, None, None, :].float()
    student, teacher = student.float() * attended, teacher.float() * attended
    if kind == "mse":
        each = (student - teacher).square().sum(3) / attended.sum(3)
    else:
        each = 1 - F.cosine_similarity(student, teacher, dim=3, eps=_SHORTEST)
    return _mean(each.mean(1), mask)


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of `(batch, length)` numbers over the tokens that are not padding."""
    weights = mask.float()
    return (values * weights).sum() / weights.sum()
