"""The linear head: dropout and one linear layer on one vector for the whole row."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pipeline.model.heads.base import HEADS, Encoded, Head, pool
from pipeline.params.heads import linear
from pipeline.tasks import Task


class PooledLinear(Head):
    """Dropout and one linear layer on the pooled vector, with any number of outputs."""

    def __init__(self, width: int, outputs: int, pooling: str, dropout: float) -> None:
        super().__init__()
        self.pooling = pooling
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, outputs)
        nn.init.normal_(self.linear.weight, std=0.02)
        nn.init.zeros_(self.linear.bias)

    def forward(self, encoded: Encoded) -> Tensor:
        """Logits `(batch, outputs)`."""
        logits: Tensor = self.linear(self.dropout(pool(self.pooling, encoded)))
        return logits


@HEADS.register("linear")
class LinearHead(PooledLinear):
    """Classification `softmax(W x)`, regression `w x`: arXiv 1901.11504, Eq. 1 and 2.

    The softmax is left to the loss.
    """

    def __init__(self, width: int, task: Task, settings: linear.LinearHead) -> None:
        super().__init__(width, task.outputs, settings.pooling, settings.dropout)
        self.starts_at_mean = settings.bias == "mean_score"

    def start_at(self, mean: float) -> None:
        """Set the bias to the mean score, which training would reach from 0 in many steps.

        With `bias: zero` it stays 0.
        """
        if not self.starts_at_mean:
            return
        with torch.no_grad():
            self.linear.bias.fill_(mean)
