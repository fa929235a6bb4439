"""Distances between a student's logits and soft targets, one number a row.

Everywhere logits are `(batch, classes)`, targets are teachers' probabilities `(batch, classes)`
softened by the temperature T, and the result is `(batch,)`. A loss that softens the student has the
factor T^2, which keeps the gradient's size when T changes (arXiv 1503.02531, section 2.1).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812, the field's own abbreviation
from torch import Tensor

from pipeline.params.distillation import (
    Correlation,
    CrossEntropy,
    Decoupled,
    KullbackLeibler,
    LogitMse,
    SoftLoss,
)

_ROUNDING = 16.0
"""Spread, in units of the float type's own error, up to which a vector counts as constant."""


def of_kind(
    loss: SoftLoss, logits: Tensor, targets: Tensor, classes: Tensor, temperature: float
) -> Tensor:
    """The loss that params.yaml names.

    Args:
        loss: its kind and weights.
        logits: student's logits.
        targets: soft targets.
        classes: each row's target class `(batch,)`, which only dkd asks for.
        temperature: T, above 0; mse knows none.
    """
    match loss:
        case CrossEntropy():
            return cross_entropy(logits, targets, temperature)
        case KullbackLeibler():
            return kl(logits, targets, temperature)
        case LogitMse():
            return mse(logits, targets)
        case Decoupled():
            return dkd(logits, targets, classes, loss.alpha, loss.beta, temperature)
        case Correlation():
            return dist(logits, targets, loss.inter, loss.intra, temperature)


def cross_entropy(logits: Tensor, targets: Tensor, temperature: float = 1.0) -> Tensor:
    """Cross-entropy `-T^2 sum_c Q(c|X) log P(c|X; T)`: arXiv 1904.09482, Eq. 4 at T = 1."""
    log_probabilities = F.log_softmax(logits / temperature, dim=1)
    return -(targets * log_probabilities).sum(1) * temperature**2


def kl(logits: Tensor, targets: Tensor, temperature: float = 1.0) -> Tensor:
    """Divergence `T^2 KL(Q || P)`: cross-entropy less the targets' entropy, so 0 where P = Q.

    Its gradient, `T (P - Q)`, is that of cross-entropy (arXiv 1503.02531, Eq. 2 times T^2).
    """
    entropy = -torch.xlogy(targets, targets).sum(1)
    return cross_entropy(logits, targets, temperature) - temperature**2 * entropy


def mse(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean over classes of the squared difference of centred logits.

    The limit of distillation at a high temperature (arXiv 1503.02531, Eq. 4). Probabilities tell
    logits up to a constant, so both sides are centred; a probability of 0 counts as the smallest
    normal float.
    """
    logs = targets.clamp(min=torch.finfo(targets.dtype).tiny).log()
    return (_centred(logits) - _centred(logs)).square().mean(1)


def dkd(
    logits: Tensor,
    targets: Tensor,
    classes: Tensor,
    alpha: float,
    beta: float,
    temperature: float = 1.0,
) -> Tensor:
    """DKD `T^2 (alpha TCKD + beta NCKD)`: arXiv 2203.08679, Eq. 7.

    TCKD is the divergence of (target class, all others), NCKD that among the other classes alone:
    `KL = TCKD + (1 - q_target) NCKD` (Eq. 6). With two classes NCKD is 0. It is 0 too where the
    teachers leave the other classes no probability at all.

    Args:
        logits: student's logits.
        targets: soft targets.
        classes: each row's target class, int64 `(batch,)`.
        alpha: weight of TCKD.
        beta: weight of NCKD.
        temperature: T.
    """
    count = logits.shape[1]
    target = classes.unsqueeze(1)
    steps = torch.arange(1, count, device=logits.device)
    others = (target + steps) % count  # every class but the target's, (batch, classes - 1)
    log_p = F.log_softmax(logits / temperature, dim=1)
    log_p_target, log_p_others = log_p.gather(1, target), log_p.gather(1, others)
    log_p_rest = log_p_others.logsumexp(1, keepdim=True)
    q_target, q_others = targets.gather(1, target), targets.gather(1, others)
    q_rest = q_others.sum(1, keepdim=True)
    tckd = _divergence(torch.cat([q_target, q_rest], 1), torch.cat([log_p_target, log_p_rest], 1))
    among = q_others / q_rest.clamp(min=torch.finfo(q_rest.dtype).tiny)
    nckd = _divergence(among, log_p_others - log_p_rest)
    return temperature**2 * (alpha * tckd + beta * nckd)


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


def _centred(values: Tensor) -> Tensor:
    return values - values.mean(1, keepdim=True)


def _divergence(q: Tensor, log_p: Tensor) -> Tensor:
    return (torch.xlogy(q, q) - q * log_p).sum(1)


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
    centred = _centred(values)
    square = centred.square().sum(1, keepdim=True)
    floor = values.detach().square().sum(1, keepdim=True) * (_ROUNDING * limits.eps) ** 2
    varies = square > floor.clamp(min=limits.tiny)
    # A constant row is divided by 1: its own length would put a NaN into the gradient.
    length = torch.where(varies, square, torch.ones_like(square)).sqrt()
    return centred / length, varies.squeeze(1)
