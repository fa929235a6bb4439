"""Decoupled knowledge distillation: the target class and the other classes apart."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812, the field's own abbreviation
from torch import Tensor

from pipeline.params.losses.dkd import Decoupled
from pipeline.training.losses.soft.base import SOFT_LOSSES


@SOFT_LOSSES.register("dkd")
def loss(
    logits: Tensor, targets: Tensor, classes: Tensor, temperature: float, settings: Decoupled
) -> Tensor:
    """DKD of each row, see `dkd`."""
    return dkd(logits, targets, classes, settings.alpha, settings.beta, temperature)


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


def _divergence(q: Tensor, log_p: Tensor) -> Tensor:
    return (torch.xlogy(q, q) - q * log_p).sum(1)
