"""Settings of the ranking head, and the class of right answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.checks import messages
from pipeline.params.checks.raw_values import run
from pipeline.params.fields import Count, Dropout, Text
from pipeline.params.heads.base import HeadSettings, Placed, lack_of_pairs
from pipeline.params.yaml_text import shown
from pipeline.tasks import GLUE, Task

_RIGHT_SHARE = 0.5  # share of right answers among the rows of a ranking task; QNLI was made so


class RankingHead(HeadSettings):
    """Pairwise ranking of candidate answers (arXiv 1901.11504, Eq. 5, 8 and 9)."""

    kind: Literal["ranking"]
    pooling: Literal["mean", "cls", "pooler"]
    dropout: Dropout
    """Dropout on the pooled vector."""
    negatives: Count
    """Wrong answers for each right one: the question's own if it has any, then drawn ones."""
    gamma: Annotated[float, Field(gt=0)]
    """Sharpness of the softmax over candidates; the paper has 1."""
    weight: Annotated[float, Field(gt=0, lt=1)]
    """Share of the ranking loss in the hard loss; the class loss has the rest. It has to have some:
    it alone sets the threshold, as the head's bias cancels in the softmax over candidates."""
    positive: Text | None = None
    """Name of the class of right answers; null: by the spelling, see `right_by_spelling`."""

    @property
    def extra_pairs(self) -> float:
        """Wrong answers for each row: of two rows one holds a right answer."""
        return _RIGHT_SHARE * self.negatives

    def weights(self, width: int, task: Task) -> int:
        """One relevance, whatever the classes."""
        return width + 1

    @classmethod
    def lack(cls, texts: int, classes: int) -> str:
        """Two texts and two classes are needed."""
        if (lack := lack_of_pairs(texts, classes)) or classes == 2:
            return lack
        return f"has {classes} classes, not two"

    @classmethod
    def faults(cls, placed: Placed) -> Iterator[str]:
        """The reason that the head cannot know the class of right answers."""
        labels, right = placed.labels, placed.head.get("positive")
        if len(labels) != 2 or not (right is None or isinstance(right, str)):
            return  # faults of their own
        spelt = right_by_spelling(labels)
        guess = labels[spelt or 0]
        fix = f"if it is {guess}: {_named(placed, guess)}"
        if right is None and placed.task not in GLUE and spelt is None:
            yield (
                f"{placed.where}: head ranking needs `positive`, the class of right answers of "
                f"{placed.task}, {' or '.join(labels)}; {fix}"
            )
        elif right is not None and right not in labels:
            yield (
                f"{placed.where}.positive: {placed.task} has no class {right}, only "
                f"{' and '.join(labels)}{messages.near(right, labels)}; {fix}"
            )


def right_by_spelling(labels: Sequence[str]) -> int | None:
    """Id of the class of right answers, if the spelling of two classes shows it; else None.

    They show it where one is `entailment` or only one begins with `not_`, as GLUE's pairs do.
    """
    wrong = [label.startswith("not_") for label in labels]
    if len(wrong) == 2 and wrong[0] != wrong[1]:
        return wrong.index(False)
    return labels.index("entailment") if len(wrong) == 2 and "entailment" in labels else None


def _named(placed: Placed, label: str) -> str:
    """The command that names the class of right answers, for this task alone."""
    word = json.dumps(label, ensure_ascii=False)  # quoted, as a class may be called 1 or null
    if placed.where == placed.own:
        return run(f"++{placed.own}.positive={word}")
    rest = {key: value for key, value in placed.head.items() if key != "positive"}
    return placed.replaced(f"{shown(rest)[1:-1]}, positive: {word}")
