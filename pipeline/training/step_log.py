"""Write the CSV log of a run's steps, and stop the run at a loss that is not finite."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np
import torch

from pipeline.errors import TrainingError
from pipeline.training.resume.resume import State

FLUSH = 25  # steps between reads of the losses, so that a GPU is not waited for at each step
COLUMNS = ("step", "epoch", "task", "loss", "learning_rate")
_NAMED_TASKS = 4  # tasks that a note names


class _Line(NamedTuple):
    step: int
    epoch: int
    task: str
    loss: torch.Tensor
    rate: float


class StepLog:
    """Lines of a log; losses stay on the device until some of them are read together.

    Args:
        file: the log, open for reading too.
        live: a second file with the same lines, for viewers; None for none.
        title: the run's name in errors.
    """

    def __init__(self, file: TextIO, live: TextIO | None, title: str) -> None:
        self._file, self._live, self._title = file, live, title
        self._waiting: list[_Line] = []
        self.rows: Counter[str] = Counter()  # by task
        self._begin(_csv([COLUMNS]))

    def add(
        self, step: int, epoch: int, task: str, rows: int, loss: torch.Tensor, rate: float
    ) -> str:
        """Keep one step's line; after every 25th write them all.

        Args:
            step: number of the step, from 0.
            epoch: number of its epoch, from 0.
            task: its task.
            rows: its number of rows.
            loss: its loss, a scalar on any device.
            rate: its learning rate.

        Returns:
            A note for the progress bar, the mean loss and each task's share of the rows so far;
            "" where nothing was written.

        Raises:
            TrainingError: a loss is not finite; names task, step and rate.
        """
        self.rows[task] += rows
        self._waiting.append(_Line(step, epoch, task, loss, rate))
        return self.flush() if len(self._waiting) == FLUSH else ""

    def flush(self) -> str:
        """Write the lines that wait; returns and raises what `add` does."""
        if not self._waiting:
            return ""
        values = torch.stack([line.loss for line in self._waiting]).tolist()
        lines = []
        for line, value in zip(self._waiting, values, strict=True):
            self._check(line, value)
            lines.append((line.step, line.epoch, line.task, f"{value:.6f}", f"{line.rate:.6g}"))
        self._waiting.clear()
        self._write(_csv(lines))
        return f"loss {sum(values) / len(values):.3f}{self._task_shares()}"

    def state(self) -> State:
        """All lines so far."""
        self.flush()
        self._file.seek(0)
        text = np.frombuffer(self._file.read().encode(), np.uint8)
        return State({"text": torch.from_numpy(text.copy())}, {"rows": dict(self.rows)})

    def load_state(self, state: State) -> None:
        """Restore the lines that `state` returned and append to them."""
        self.rows = Counter(state.facts["rows"])
        self._begin(state.tensors["text"].numpy().tobytes().decode())

    def _begin(self, text: str) -> None:
        for file in filter(None, (self._file, self._live)):
            file.seek(0)
            file.truncate()
        self._write(text)

    def _write(self, text: str) -> None:
        self._file.write(text)
        self._file.flush()
        if self._live is not None:
            with suppress(OSError):
                self._live.write(text)
                self._live.flush()

    def _task_shares(self) -> str:
        """Shares of the tasks, the largest first."""
        if len(self.rows) < 2:
            return ""
        total = self.rows.total()
        shares = [
            f"{task} {rows / total:.0%}" for task, rows in self.rows.most_common(_NAMED_TASKS)
        ]
        others = len(self.rows) - len(shares)
        return ", " + ", ".join([*shares, *([f"{others} more"] if others else [])])

    def _check(self, line: _Line, value: float) -> None:
        if math.isfinite(value):
            return
        raise TrainingError(
            f"the loss of task {line.task} is not finite at step {line.step}",
            seen=value,
            where=f"{self._title}, learning rate {line.rate:.3g}",
            fix="lower learning_rate or clip_norm, or lengthen warmup, in params.yaml",
        )


@contextmanager
def opened(path: Path, title: str, live: Path | None = None) -> Iterator[StepLog]:
    """Open a new log; flush its last lines before the block ends.

    Args:
        path: the file.
        title: the run's name in errors.
        live: a second file with the same lines, for viewers; training does without it
            where it cannot be written.
    """
    with _open(path) as file, _opened_live(live) as shown:
        yield StepLog(file, shown, title)


@contextmanager
def _opened_live(path: Path | None) -> Iterator[TextIO | None]:
    file = None
    if path is not None:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = _open(path)
    try:
        yield file
    finally:
        if file is not None:
            with suppress(OSError):
                file.close()


def _open(path: Path) -> TextIO:
    return path.open("w+", newline="", encoding="utf-8")


def _csv(lines: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()
