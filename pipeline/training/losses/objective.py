"""The loss of a batch: class loss, the head's own loss, feature loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from pipeline.model import bfloat16, padding
from pipeline.model.heads.base import ExtraPairs, PairHead
from pipeline.model.multitask import MultiTaskModel
from pipeline.model.tokenization import Tokens
from pipeline.params.distillation import Distillation
from pipeline.runtime.hardware import Hardware
from pipeline.training.losses import combined

if TYPE_CHECKING:
    from pipeline.training.losses.features import FeatureLoss


@dataclass(frozen=True)
class TrainingSet:
    """Rows of one task to train on.

    Attributes:
        tokens: the rows' tokens.
        labels: gold labels `(rows,)`, int64 classes or float32 scores; 0 where none is known.
        targets: soft targets `(rows, classes or 1)` float32; None without teachers.
        known: whether the gold label of each row is known, bool `(rows,)`; None for all.
        extra_pairs: pairs that the head scores besides the rows; None for most kinds of head.
    """

    tokens: Tokens
    labels: np.ndarray
    targets: np.ndarray | None = None
    known: np.ndarray | None = None
    extra_pairs: ExtraPairs | None = None

    @property
    def gold(self) -> np.ndarray:
        """Whether the gold label of each row is known, bool `(rows,)`."""
        return np.ones(len(self.labels), bool) if self.known is None else self.known

    def without(self, rows: np.ndarray) -> TrainingSet:
        """The same rows in the same places, but no extra pair comes from `rows (rows,)`."""
        if self.extra_pairs is None or not len(rows):
            return self
        return replace(self, extra_pairs=self.extra_pairs.without(rows))


@dataclass(frozen=True)
class Outputs:
    """Outputs of a pass through the model, with their graph.

    Attributes:
        logits: `(rows, outputs)`.
        feature_loss: the shard's feature loss, a scalar, a mean over tokens; None for none.
        tokens: number of the rows' tokens without padding.
    """

    logits: Tensor
    feature_loss: Tensor | None
    tokens: int

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The tensors that gradients flow back from."""
        return (self.logits,) if self.feature_loss is None else (self.logits, self.feature_loss)

    def cut(self) -> Outputs:
        """The same numbers as leaves of a new graph, that of the batch's loss."""
        leaves = [tensor.detach().requires_grad_() for tensor in self.tensors]
        return Outputs(leaves[0], None if self.feature_loss is None else leaves[1], self.tokens)


@dataclass(frozen=True)
class Objective:
    """The loss of a batch.

    Attributes:
        model: the model that rows pass through, as returned by `bfloat16.narrowed`.
        machine: device and precision.
        distillation: how hard and soft loss are combined; None for hard labels only.
        task_weights: factors on the losses of tasks; 1 for a task that is not named.
        feature_loss: distance of the model's features from those of teachers.
    """

    model: MultiTaskModel
    machine: Hardware
    distillation: Distillation | None = None
    task_weights: Mapping[str, float] = field(default_factory=dict)
    feature_loss: FeatureLoss | None = None

    def forward(self, task: str, own: bool, arrays: Mapping[str, np.ndarray]) -> Outputs:
        """Logits of some rows, and their feature loss where there is one.

        Args:
            task: whose head is used.
            own: whether they are rows of the batch; extra pairs have no feature loss.
            arrays: padded inputs as returned by `tokenization.Tokens.batch`.
        """
        inputs = padding.on_device(arrays, self.machine)
        feature_loss, number = self.feature_loss, int(arrays[padding.MASK].sum())
        with bfloat16.context(self.model, self.machine):
            if feature_loss is None or not own or task not in feature_loss.tasks:
                return Outputs(self.model(task, inputs), None, number)
            logits, hidden, attentions = self.model.forward_with_features(
                task, inputs, feature_loss.attentions
            )
            return Outputs(logits, feature_loss.loss(task, inputs, hidden, attentions), number)

    def loss(
        self,
        task: str,
        rows: TrainingSet,
        batch: np.ndarray,
        own: Sequence[Outputs],
        progress: float,
        extra: tuple[np.ndarray, Sequence[Outputs]] | None = None,
    ) -> Tensor:
        """Loss of one batch, a mean over its rows.

        Args:
            task: task of the batch.
            rows: the task's rows.
            batch: positions of the batch's rows `(batch,)`.
            own: outputs of `forward` for them, shard by shard.
            progress: share of the run's steps that are done.
            extra: places in the batch `(places,)` of the rows that have extra pairs, and
                outputs of `forward` for the pairs `(places * pairs)`.
        """
        logits = torch.cat([shard.logits for shard in own])
        labels = self.machine.put(rows.labels[batch])
        known, targets = (
            None if array is None else self.machine.put(array[batch])
            for array in (rows.known, rows.targets)
        )
        ranked = None if extra is None else self._extra_loss(task, logits, *extra)
        loss = combined.combined(
            logits, labels, known, targets, self.distillation, progress, ranked
        )
        # The feature loss of each shard is a mean over its own tokens.
        tokens = sum(shard.tokens for shard in own)
        parts = [
            shard.feature_loss * (shard.tokens / tokens)
            for shard in own
            if shard.feature_loss is not None
        ]
        return (loss + sum(parts)) * self.task_weights.get(task, 1.0)

    def _extra_loss(
        self, task: str, logits: Tensor, places: np.ndarray, extra: Sequence[Outputs]
    ) -> tuple[Tensor, float]:
        """The head's loss of rows with extra pairs, and its share of the hard loss."""
        pairs = torch.cat([shard.logits for shard in extra])
        head = self.model.head(task)
        assert isinstance(head, PairHead), "its extra pairs were drawn"
        return head.extra_loss(logits[self.machine.put(places)], pairs)
