"""The CSV log of a training run's steps, and the watch for losses that are not finite."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch

from pipeline.errors import TrainingError

FLUSH = 25  # steps between reads of the losses, so that a GPU is not waited for at each step
COLUMNS = ("step", "epoch", "task", "loss", "learning_rate")


class _Line(NamedTuple):
    step: int
    epoch: int
    task: str
    loss: torch.Tensor
    rate: float


class StepLog:
    """Lines of a log; losses stay on the device until some of them are read together."""

    def __init__(self, writer: Any, title: str) -> None:
        self.writer, self.title = writer, title
        self.waiting: list[_Line] = []
        writer.writerow(COLUMNS)

    def add(self, step: int, epoch: int, task: str, loss: torch.Tensor, rate: float) -> str:
        """Keep one step's line; after every 25th write them all.

        Args:
            step: number of the step, from 0.
            epoch: number of its epoch, from 0.
            task: its task.
            loss: its loss, a scalar on any device.
            rate: its learning rate.

        Returns:
            A note of the mean loss for the progress bar, "" where nothing was written.

        Raises:
            TrainingError: a loss is not finite; names task, step and rate.
        """
        self.waiting.append(_Line(step, epoch, task, loss, rate))
        return self.flush() if len(self.waiting) == FLUSH else ""

    def flush(self) -> str:
        """Write the lines that wait; returns and raises what `add` does."""
        if not self.waiting:
            return ""
        values = torch.stack([line.loss for line in self.waiting]).tolist()
        for line, value in zip(self.waiting, values, strict=True):
            self._check(line, value)
            row = (line.step, line.epoch, line.task, f"{value:.6f}", f"{line.rate:.6g}")
            self.writer.writerow(row)
        self.waiting.clear()
        return f"loss {sum(values) / len(values):.3f}"

    def _check(self, line: _Line, value: float) -> None:
        if math.isfinite(value):
            return
        raise TrainingError(
            f"the loss of task {line.task} is not finite at step {line.step}",
            seen=value,
            where=f"{self.title}, learning rate {line.rate:.3g}",
            mend="lower learning_rate or clip_norm, or lengthen warmup, in params.yaml",
        )


@contextmanager
def opened(path: Path, title: str) -> Iterator[StepLog]:
    """A new log; what is to be in it must have been flushed when the block ends.

    Args:
        path: the file.
        title: the run, as errors name it.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        yield StepLog(csv.writer(file, lineterminator="\n"), title)
