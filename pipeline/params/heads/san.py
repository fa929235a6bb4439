"""Settings of the SAN head."""

from __future__ import annotations

from typing import Literal

from pipeline.params.fields import Count, Dropout
from pipeline.params.heads.base import HeadSettings, lack_of_pairs
from pipeline.tasks import Task


class SanHead(HeadSettings):
    """SAN answer module for pairs of texts (arXiv 1901.11504, section 3)."""

    kind: Literal["san"]
    steps: Count
    """Steps of reasoning, K; the paper has 5."""
    dropout: Dropout
    """Dropout on token vectors and states."""
    prediction_dropout: Dropout
    """Chance that a step's prediction is left out of the mean in training; one always stays."""

    def weights(self, width: int, task: Task) -> int:
        """Weights of the GRU, of both attentions and of the classifier on four vectors.

        The GRU has six squares of the width and six biases, W2 one square, w1 one width.
        """
        return 7 * width**2 + 7 * width + (4 * width + 1) * task.outputs

    @classmethod
    def lack(cls, texts: int, classes: int) -> str:
        """Two texts and classes are needed."""
        return lack_of_pairs(texts, classes)
