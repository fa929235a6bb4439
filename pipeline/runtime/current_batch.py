"""The batch that this process computes now, for the error message if it fails."""

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
    """The batch of the process; where threads score in parallel, the last that started."""

    batch: CurrentBatch | None = None


def start(doing: Activity, task: str, rows: int, tokens: int) -> None:
    """Note the batch that starts now; takes less than a microsecond, as no text is made."""
    _Process.batch = CurrentBatch(doing, task, rows, tokens)


def clear() -> None:
    """Note that no batch is under way any more."""
    _Process.batch = None


def current() -> CurrentBatch | None:
    """The batch under way; None between and outside of them."""
    return _Process.batch
