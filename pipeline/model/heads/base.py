"""The base of all heads, the encoder's output that they read, and the registry of their kinds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self, runtime_checkable

import torch
from torch import Tensor, nn

from pipeline.runtime.discovery import Registry
from pipeline.tasks import Task

if TYPE_CHECKING:
    import numpy as np

    from pipeline.data.rows import Rows
    from pipeline.model.tokenization import Tokens


class Encoded(NamedTuple):
    """The encoder's output for a batch.

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


class ExtraPairs(Protocol):
    """Pairs of texts that a head scores in training besides the rows of a batch."""

    @property
    def texts(self) -> np.ndarray:
        """The data that decide the pairs of every row, int64; part of the run's key."""

    def without(self, rows: np.ndarray) -> Self:
        """The same, but no text of these rows `(rows,)` is in a pair: they are held out."""

    def draw(
        self, rows: np.ndarray, random: np.random.Generator
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Pairs for a batch.

        Args:
            rows: the batch's rows `(batch,)`.
            random: source of the pairs; the same state gives the same ones.

        Returns:
            Places in the batch of the rows that have pairs, int64 `(places,)`, and the inputs of
            their pairs, the same number for each place, `(places * pairs, length)` as returned by
            `Tokens.batch`. Both are empty if no row has any.
        """


class Head(nn.Module, ABC):
    """Turns the encoder's output into a task's logits: base of all kinds of head.

    A kind's class takes the encoder's width, the task and the kind's settings, and its module
    registers it: `@HEADS.register("linear")`. `__init__` draws the weights by torch's generator.
    A head for tasks with scores is a `ScoreHead` too, one with a loss of its own a `PairHead`.
    """

    @abstractmethod
    def forward(self, encoded: Encoded) -> Tensor:
        """Logits `(batch, outputs)`."""


@runtime_checkable
class ScoreHead(Protocol):
    """A head that fits tasks with scores."""

    def start_at(self, mean: float) -> None:
        """Let the head of a task start at the mean of its scores."""


@runtime_checkable
class PairHead(Protocol):
    """A head that scores pairs in training besides the rows, and has a loss of them."""

    def extra_pairs(self, rows: Rows, tokens: Tokens, max_length: int) -> ExtraPairs:
        """Pairs to score in training besides the rows.

        Args:
            rows: training rows of the task.
            tokens: of the same rows.
            max_length: most tokens of a pair.
        """

    def extra_loss(self, logits: Tensor, pairs: Tensor) -> tuple[Tensor, float]:
        """A loss of rows and their extra pairs, and its share of the hard loss.

        Args:
            logits: of the rows that have pairs `(places, outputs)`.
            pairs: of their pairs `(places * pairs, outputs)`, in the same order.
        """


class Uniform(nn.Module):
    """Random numbers in [0, 1) for a head: a module, so that the fast engine can replace it."""

    def forward(self, shape: tuple[int, ...], device: torch.device) -> Tensor:
        """Float32 of the shape."""
        return torch.rand(shape, device=device)


def pool(pooling: str, encoded: Encoded) -> Tensor:
    """One vector per row `(batch, width)`: mean of the tokens, first token, or encoder's pooler."""
    if pooling == "cls":
        return encoded.tokens[:, 0]
    if pooling == "pooler":
        assert encoded.pooled is not None, "the model's constructor has checked it"
        return encoded.pooled
    weights = encoded.mask.to(encoded.tokens.dtype).unsqueeze(-1)
    return (encoded.tokens * weights).sum(1) / weights.sum(1)


HEADS: Registry[Callable[[int, Task, Any], Head]] = Registry(__package__ or "")
"""Each kind's class, which takes the encoder's width, the task and the kind's settings."""
