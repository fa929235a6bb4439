"""What this process computes just now, so that a failure can say what it was about."""

from __future__ import annotations

from typing import Literal, NamedTuple

Activity = Literal["training", "scoring"]


class CurrentBatch(NamedTuple):
    """A batch on its way through a model.

    Attributes:
        doing: whether the model learns from it.
        task: whose rows they are.
        rows: rows of the batch.
        tokens: tokens of each row, padding included.
    """

    doing: Activity
    task: str
    rows: int
    tokens: int

    def __str__(self) -> str:
        return f"{self.doing} {self.task}, a batch of {self.rows} rows of {self.tokens} tokens"


class _Process:
    """Workers' threads score side by side: any of their batches may be the one that fails."""

    batch: CurrentBatch | None = None


def start(doing: Activity, task: str, rows: int, tokens: int) -> None:
    """Say what comes next. It costs less than a microsecond: the text is made when asked for."""
    _Process.batch = CurrentBatch(doing, task, rows, tokens)


def clear() -> None:
    """Say that no batch is under way any more."""
    _Process.batch = None


def current() -> CurrentBatch | None:
    """The batch under way; None between and outside of them."""
    return _Process.batch
