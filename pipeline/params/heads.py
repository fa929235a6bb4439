"""What sits between the encoder and a task's logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.fields import Count, Dropout, Section, Text


class LinearHead(Section):
    """One linear layer on a vector that stands for the row (arXiv 1901.11504, Eq. 1 and 2)."""

    kind: Literal["linear"]
    pooling: Literal["mean", "cls", "pooler"]
    """Mean of the token vectors, the [CLS] vector, or the encoder's own pooler."""
    dropout: Dropout
    """Dropout on the pooled vector."""


class SanHead(Section):
    """SAN answer module for pairs of texts (arXiv 1901.11504, section 3)."""

    kind: Literal["san"]
    steps: Count
    """Steps of reasoning, K; the paper has 5."""
    dropout: Dropout
    """Dropout on token vectors and states."""
    prediction_dropout: Dropout
    """Chance that a step's prediction is left out of the mean in training; one always stays."""


class RankingHead(Section):
    """Pairwise ranking of candidate answers (arXiv 1901.11504, Eq. 5, 8 and 9)."""

    kind: Literal["ranking"]
    pooling: Literal["mean", "cls", "pooler"]
    """As in a linear head."""
    dropout: Dropout
    """Dropout on the pooled vector."""
    negatives: Count
    """Wrong answers beside each right one: the question's own if it has any, then drawn ones."""
    gamma: Annotated[float, Field(gt=0)]
    """Sharpness of the softmax over candidates; the paper has 1."""
    weight: Annotated[float, Field(gt=0, lt=1)]
    """Share of the ranking loss in the hard loss; the class loss has the rest. It has to have some:
    it alone sets the threshold, as the head's bias cancels in the softmax over candidates."""
    positive: Text | None = None
    """Name of the class of right answers; null goes by the spelling, see `right_by_spelling`."""


Head = Annotated[LinearHead | SanHead | RankingHead, Field(discriminator="kind")]


def right_by_spelling(labels: Sequence[str]) -> int | None:
    """Id of the class of right answers, if two classes are spelt so that it shows; else None.

    They show it where one is `entailment` or only one begins with `not_`, as GLUE's pairs do.
    """
    wrong = [label.startswith("not_") for label in labels]
    if len(wrong) == 2 and wrong[0] != wrong[1]:
        return wrong.index(False)
    return labels.index("entailment") if len(wrong) == 2 and "entailment" in labels else None
