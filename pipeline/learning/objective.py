"""What training minimises on a batch: class loss, ranking loss, a teacher's inner states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from pipeline.learning import losses
from pipeline.machine import Machine
from pipeline.models import ranking
from pipeline.models.model import MultiTaskModel
from pipeline.models.tokens import Tokens
from pipeline.params.distillation import Distillation
from pipeline.params.heads import RankingHead

if TYPE_CHECKING:
    from pipeline.learning.internals import Matcher


@dataclass(frozen=True)
class TrainingSet:
    """Rows of one task to train on.

    Attributes:
        tokens: the rows' tokens.
        labels: gold labels `(rows,)`, int64 classes or float32 scores; 0 where none is known.
        targets: soft targets `(rows, classes or 1)` float32; None without teachers.
        known: whether the gold label of each row is known, bool `(rows,)`; None for all.
        negatives: wrong answers to draw beside right ones; None but for a ranking head.
    """

    tokens: Tokens
    labels: np.ndarray
    targets: np.ndarray | None = None
    known: np.ndarray | None = None
    negatives: ranking.Negatives | None = None

    @property
    def gold(self) -> np.ndarray:
        """Whether the gold label of each row is known, bool `(rows,)`."""
        return np.ones(len(self.labels), bool) if self.known is None else self.known

    def without(self, rows: np.ndarray) -> TrainingSet:
        """The same rows in the same places, but none of `rows (rows,)` gives a wrong answer."""
        if self.negatives is None or not len(rows):
            return self
        return replace(self, negatives=self.negatives.without(rows))


@dataclass(frozen=True)
class Objective:
    """The loss of a batch.

    Attributes:
        model: the model that is trained.
        machine: device and precision.
        distillation: how hard and soft loss are combined; None for hard labels only.
        task_weights: factors on the losses of tasks; 1 for a task that is not named.
        matcher: loss between inner states of the model and of teachers.
    """

    model: MultiTaskModel
    machine: Machine
    distillation: Distillation | None = None
    task_weights: Mapping[str, float] = field(default_factory=dict)
    matcher: Matcher | None = None

    def loss(
        self,
        task: str,
        rows: TrainingSet,
        batch: np.ndarray,
        progress: float,
        random: np.random.Generator,
    ) -> Tensor:
        """Loss of one batch, a mean over its rows.

        Args:
            task: whose rows they are.
            rows: all rows of the task.
            batch: positions of the batch's rows `(batch,)`.
            progress: share of the run's steps that are done.
            random: source of wrong answers.
        """
        inputs = self._inputs(rows.tokens.batch(batch))
        labels = self.machine.put(rows.labels[batch])
        known, targets = (
            None if array is None else self.machine.put(array[batch])
            for array in (rows.known, rows.targets)
        )
        logits, matched = self._forward(task, inputs)
        ranked = None
        if rows.negatives is not None:
            ranked = self._ranked(task, logits, *rows.negatives.draw(batch, random))
        loss = losses.combined(logits, labels, known, targets, self.distillation, progress, ranked)
        if matched is not None:
            loss = loss + matched
        return loss * self.task_weights.get(task, 1.0)

    def _inputs(self, arrays: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
        return {name: self.machine.put(array) for name, array in arrays.items()}

    def _forward(self, task: str, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        """Logits `(batch, outputs)`, and the loss of inner states where there is one."""
        matcher = self.matcher
        with self.machine.autocast():
            if matcher is None or task not in matcher.tasks:
                return self.model(task, inputs), None
            logits, hidden, attentions = self.model.forward_with_internals(
                task, inputs, matcher.attentions
            )
            return logits, matcher.loss(task, inputs, hidden, attentions)

    def _ranked(
        self, task: str, logits: Tensor, places: np.ndarray, pairs: Mapping[str, np.ndarray]
    ) -> tuple[Tensor, float] | None:
        """Loss of right answers among wrong ones and its share; None without a right answer.

        The wrong answers go through the model in a pass of their own.

        Args:
            task: a task with a ranking head.
            logits: of the batch `(batch, 2)`.
            places: right answers' places in the batch `(positives,)`.
            pairs: inputs of their wrong answers `(positives * negatives, length)`.
        """
        if not len(places):
            return None
        settings = self.model.head_settings[task]
        assert isinstance(settings, RankingHead), "only ranking heads have negatives"
        with self.machine.autocast():
            others = self.model(task, self._inputs(pairs))
        right = ranking.relevance(logits[self.machine.put(places)])
        wrong = ranking.relevance(others).view(len(places), -1)
        return ranking.loss(right, wrong, settings.gamma), settings.weight
