"""What makes a task's logits of the encoder's vectors: one head a task, of several kinds."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from pipeline.params import heads as spec
from pipeline.tasks import Task


class Encoded(NamedTuple):
    """What the encoder gives of a batch.

    Attributes:
        tokens: token vectors `(batch, length, width)`.
        pooled: output of the encoder's own pooler `(batch, width)`; None if it has none.
        mask: `(batch, length)`, 1 on tokens and 0 on padding.
        texts: `(batch, length)`, 1 in the first text, 2 in the second, 0 on special tokens and
            padding; None where the caller does not know.
    """

    tokens: Tensor
    pooled: Tensor | None
    mask: Tensor
    texts: Tensor | None


class LinearHead(nn.Module):
    """Dropout and one linear layer on a vector that stands for the whole row.

    Classification: `softmax(W x)` of arXiv 1901.11504, Eq. 1, regression: `w x` of Eq. 2; the
    softmax is left to the loss.
    """

    def __init__(self, width: int, outputs: int, settings: spec.LinearHead) -> None:
        super().__init__()
        self.pooling = settings.pooling
        self.dropout = nn.Dropout(settings.dropout)
        self.linear = nn.Linear(width, outputs)
        nn.init.normal_(self.linear.weight, std=0.02)
        nn.init.zeros_(self.linear.bias)

    def forward(self, encoded: Encoded) -> Tensor:
        """Logits `(batch, outputs)`."""
        logits: Tensor = self.linear(self.dropout(pool(self.pooling, encoded)))
        return logits


def build(width: int, task: Task, settings: spec.Head) -> nn.Module:
    """A new head; its `forward(encoded: Encoded)` gives logits `(batch, outputs)`.

    Args:
        width: of the encoder's vectors.
        task: decides the outputs.
        settings: of any kind of head.
    """
    # Late, since both modules need this one.
    from pipeline.model.heads.ranking import RankingHead
    from pipeline.model.heads.san import SanHead

    if isinstance(settings, spec.SanHead):
        return SanHead(width, task.outputs, settings)
    if isinstance(settings, spec.RankingHead):
        return RankingHead(width, task, settings)
    return LinearHead(width, task.outputs, settings)


def draw(width: int, task: Task, settings: spec.Head) -> nn.Module:
    """A new head whose kind does not move the weights that are drawn after it.

    Torch's generator is moved on by what a linear head takes. A head of another kind is drawn by
    a generator of its own, which starts at a number from that place.
    """
    if isinstance(settings, spec.LinearHead):
        return build(width, task, settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**62, ())))
        head = build(width, task, settings)
    linear = spec.LinearHead(kind="linear", pooling="mean", dropout=0.0)
    LinearHead(width, task.outputs, linear)  # for what it takes of the generator
    return head


def pool(pooling: str, encoded: Encoded) -> Tensor:
    """One vector a row `(batch, width)`: mean of the tokens, first token, or encoder's pooler."""
    if pooling == "cls":
        return encoded.tokens[:, 0]
    if pooling == "pooler":
        assert encoded.pooled is not None, "the model's constructor has checked it"
        return encoded.pooled
    weights = encoded.mask.to(encoded.tokens.dtype).unsqueeze(-1)
    return (encoded.tokens * weights).sum(1) / weights.sum(1)
