"""Settings of the linear head."""

from __future__ import annotations

from typing import Literal

from pipeline.params.fields import Dropout
from pipeline.params.heads.base import HeadSettings
from pipeline.tasks import Task


class LinearHead(HeadSettings):
    """One linear layer on one vector per row (arXiv 1901.11504, Eq. 1 and 2)."""

    kind: Literal["linear"]
    pooling: Literal["mean", "cls", "pooler"]
    """Mean of the token vectors, the [CLS] vector, or the encoder's own pooler."""
    dropout: Dropout
    """Dropout on the pooled vector."""
    bias: Literal["mean_score", "zero"] = "mean_score"
    """First bias of a task with scores: their mean in the train rows, or 0; of classes it is 0."""

    def weights(self, width: int, task: Task) -> int:
        """A weight for each unit of the vector and a bias, for each output."""
        return (width + 1) * task.outputs
