"""The ranking head: score a right answer above wrong ones (arXiv 1901.11504, section 3)."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from pipeline.data.rows import Rows
from pipeline.model.heads.base import HEADS, Encoded, Head
from pipeline.model.heads.linear import PooledLinear
from pipeline.model.tokenization import Tokens
from pipeline.params.heads import ranking
from pipeline.tasks import Task

_TRIES = 64  # draws before all rows are gone through for a wrong answer


@HEADS.register("ranking")
class RankingHead(Head):
    """Relevance of an answer, the second text, to a question, the first: Eq. 5.

    `Rel(Q, A) = w x` with a bias. Eq. 5 passes it through a function g; here g, a sigmoid, is left
    to the class loss: the logits are the relevance for the class of right answers and 0 for the
    other, so that the first one's probability is `sigmoid(Rel(Q, A))`.
    """

    def __init__(self, width: int, task: Task, settings: ranking.RankingHead) -> None:
        super().__init__()
        self.settings = settings
        self.positive = positive_class(task.labels, settings.positive)
        self.relevance = PooledLinear(width, 1, settings.pooling, settings.dropout)

    def forward(self, encoded: Encoded) -> Tensor:
        """Logits `(batch, 2)`, 0 for the class of wrong answers."""
        relevant = self.relevance(encoded)
        columns = [torch.zeros_like(relevant)] * 2
        columns[self.positive] = relevant
        return torch.cat(columns, -1)

    def extra_pairs(self, rows: Rows, tokens: Tokens, max_length: int) -> Negatives:
        """Wrong answers for the rows that hold a right one."""
        # Texts are compared here, so these columns are in memory for as long as it takes.
        table = rows.columns("sentence1", "sentence2", "label")
        return Negatives(table, rows.labels, tokens, self.settings, max_length, self.positive)

    def extra_loss(self, logits: Tensor, pairs: Tensor) -> tuple[Tensor, float]:
        """The loss of right answers among wrong ones, and its share of the hard loss."""
        right, wrong = relevance(logits), relevance(pairs)
        ranked = loss(right, wrong.view(len(right), -1), self.settings.gamma)
        return ranked, self.settings.weight


def positive_class(labels: tuple[str, ...], name: str | None = None) -> int:
    """Id of the class of right answers.

    Args:
        labels: names of both classes.
        name: the one of right answers. Without it their spelling decides, as in all of GLUE; else
            the class named last is taken. Parameters that leave it open are refused, but a model
            that was trained without the name must give the same scores as before.

    Raises:
        ValueError: there are not two classes, or none of this name.
    """
    if len(labels) != 2:
        raise ValueError(f"ranking takes two classes, not {len(labels)}")
    if name is not None:
        if name not in labels:
            raise ValueError(f"{name} is neither {labels[0]} nor {labels[1]}")
        return labels.index(name)
    if (spelt := ranking.right_by_spelling(labels)) is not None:
        return spelt
    return 0 if labels[1].startswith("not_") else 1  # both may begin so


def relevance(logits: Tensor) -> Tensor:
    """Rel(Q, A) `(batch,)` in float32 from a ranking head's logits, the other of which is 0."""
    return logits.float().sum(-1)


def loss(positive: Tensor, negative: Tensor, gamma: float) -> Tensor:
    """Negative log likelihood of the right answers among their candidates, Eq. 8 and 9.

    `-mean log(exp(gamma Rel(Q, A+)) / sum_A' exp(gamma Rel(Q, A')))`; the sum is over the right
    answer and its wrong ones. Eq. 8 lacks the log in print.

    Args:
        positive: relevance of the right answers `(positives,)`, at least one.
        negative: relevance of each one's wrong answers `(positives, negatives)`.
        gamma: sharpness of the softmax.
    """
    candidates = gamma * torch.cat([positive.unsqueeze(-1), negative], -1).float()
    return (torch.logsumexp(candidates, -1) - candidates[:, 0]).mean()


class Negatives:
    """Wrong answers for the rows that hold a right one.

    A question's own wrong answers come first: second texts of rows with the same first text and
    the other class. Where they are too few, second texts of rows with other questions are drawn,
    each such row with the same chance. A text that is right for the question in any row is
    never among them. A text is repeated only where there are no more.

    Args:
        table: rows with `sentence1`, `sentence2` and `label`, null where none is known.
        labels: classes `(rows,)`, of any value where none is known.
        tokens: of the same rows.
        settings: of the task's head.
        max_length: most tokens of a pair.
        positive: id of the class of right answers, see `positive_class`.
    """

    def __init__(
        self,
        table: pa.Table,
        labels: np.ndarray,
        tokens: Tokens,
        settings: ranking.RankingHead,
        max_length: int,
        positive: int,
    ) -> None:
        self._tokens, self._count, self._max_length = tokens, settings.negatives, max_length
        self._questions, self._answers = (
            _numbers(table[name]) for name in ("sentence1", "sentence2")
        )
        known = np.asarray(table["label"].is_valid().to_numpy(), bool)
        self._right = known & (labels == positive)
        self._wrong = known & (labels != positive)
        self._rights: dict[int, set[int]] = {}  # answers by question
        for row in np.flatnonzero(self._right).tolist():
            self._rights.setdefault(self._questions[row], set()).add(self._answers[row])
        self._set_sources(np.arange(len(labels)))

    @property
    def texts(self) -> np.ndarray:
        """A number for each of the rows' texts, the same for the same text, int64 `(2, rows)`."""
        return np.stack([self._questions, self._answers])

    def without(self, rows: np.ndarray) -> Negatives:
        """The same, but no wrong answer comes from these rows `(rows,)`.

        For rows that are held out of training: it must not learn from their labels.
        """
        fewer = copy.copy(self)
        fewer._set_sources(np.setdiff1d(self._sources, rows))
        return fewer

    def draw(
        self, rows: np.ndarray, random: np.random.Generator
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Wrong answers for a batch.

        Args:
            rows: the batch's rows `(batch,)`.
            random: source of the answers; the same state gives the same ones.

        Returns:
            Places in the batch of the rows with right answers, int64 `(positives,)`; inputs of
            their questions with wrong answers, `negatives` of the settings for each, in the same
            order, `(positives * negatives, length)` as from `Tokens.batch`. Both are empty where
            there is no right answer. A row for which there is no wrong answer is left out.
        """
        places: list[int] = []
        questions: list[int] = []
        answers: list[int] = []
        for place, row in enumerate(rows.tolist()):
            if self._right[row] and (wrong := self._wrong_answers(row, random)):
                places.append(place)
                questions += [row] * self._count
                answers += (wrong * self._count)[: self._count]
        if not places:
            return np.empty(0, np.int64), {}
        pairs = self._tokens.pair(np.array(questions), np.array(answers), self._max_length)
        return np.array(places, np.int64), pairs

    def _set_sources(self, sources: np.ndarray) -> None:
        """Take wrong answers from these rows alone."""
        self._sources = sources
        self._own_wrong: dict[int, dict[int, int]] = {}  # question -> answer -> row
        for row in sources[self._wrong[sources]].tolist():
            question, answer = self._questions[row], self._answers[row]
            if answer not in self._rights.get(question, ()):
                self._own_wrong.setdefault(question, {}).setdefault(answer, row)

    def _wrong_answers(self, row: int, random: np.random.Generator) -> list[int]:
        """Rows of different wrong answers: the number in the settings, or all that there are."""
        question = self._questions[row]
        own = self._own_wrong.get(question, {})
        wrong = [int(place) for place in own.values()]
        if len(wrong) > self._count:
            return [int(place) for place in random.choice(wrong, self._count, replace=False)]
        refused = self._rights[question] | set(own)
        while len(wrong) < self._count:
            drawn = self._drawn(question, refused, random)
            if drawn is None:
                break
            wrong.append(drawn)
            refused.add(self._answers[drawn])
        return wrong

    def _drawn(self, question: int, refused: set[int], random: np.random.Generator) -> int | None:
        """A row of another question with an answer that is not refused; None if there is none."""
        for _ in range(_TRIES):
            row = int(self._sources[random.integers(len(self._sources))])
            if self._questions[row] != question and self._answers[row] not in refused:
                return row
        others = self._sources[self._questions[self._sources] != question]
        left = others[~np.isin(self._answers[others], list(refused))]
        return int(random.choice(left)) if len(left) else None


def _numbers(column: Any) -> np.ndarray:
    """A number for each text, the same for the same text, int64 `(rows,)`."""
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(text, len(seen)) for text in column.to_pylist()], np.int64)
