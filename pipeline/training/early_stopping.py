"""Choose the epoch that is kept: early stopping on rows held out of train, or the best on dev."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

import numpy as np
import torch

from pipeline import metrics
from pipeline.errors import TrainingError
from pipeline.model import scoring
from pipeline.model.multitask import MultiTaskModel
from pipeline.model.tokenization import Tokens
from pipeline.params.training import EarlyStopping
from pipeline.runtime import progress
from pipeline.runtime.hardware import Hardware
from pipeline.training.random_streams import Purpose, stream
from pipeline.training.resume.resume import State


class HeldOut(NamedTuple):
    """Rows of one split of a task that are scored and never trained on."""

    tokens: Tokens  # of all rows of the split
    labels: np.ndarray  # gold labels of all rows, (rows,)
    rows: np.ndarray  # positions of the held-out rows, (held out,)


class Kept(NamedTuple):
    """The epoch whose weights are kept.

    Attributes:
        rows: rows of all tasks that chose it, held out of train or of dev.
        epoch: its number, from 1.
        score: mean task score on these rows, a fraction.
    """

    rows: int
    epoch: int
    score: float


def hold_out(
    known: Mapping[str, np.ndarray], settings: EarlyStopping | None, seed: int
) -> dict[str, np.ndarray]:
    """Positions of the held-out rows of every task, in rising order; none without settings.

    They depend on the seed, the task's place among the sorted names and its rows with a gold
    label, so that rows without one do not change them.

    Args:
        known: whether each row has a gold label `(rows,)`, by task.
        settings: share of the rows with a gold label that is held out, rounded to a whole row.
        seed: seed of the run.

    Raises:
        TrainingError: a task has too few rows to hold one out and to train on another.
    """
    if settings is None:
        return {task: np.empty(0, np.int64) for task in known}
    held_out = {}
    for position, (task, flags) in enumerate(sorted(known.items())):
        gold = np.flatnonzero(flags)
        number = _count(task, len(gold), settings.share)
        order = stream(seed, Purpose.HELD_OUT, position=position).permutation(len(gold))
        held_out[task] = np.sort(gold[order[:number]])
    return held_out


class EarlyStopper:
    """Scores the held-out rows after every epoch and keeps the best epoch's weights.

    Args:
        model: the model that is trained.
        held_out: splits of held-out rows by task, at least one row of each.
        patience: epochs without a better score after which training stops.
        machine: device, precision, tokens of a pass.
        title: the run's name in messages on standard error.
        kind: of rows, in these messages: held-out or dev.
    """

    def __init__(
        self,
        model: MultiTaskModel,
        held_out: Mapping[str, Sequence[HeldOut]],
        patience: int,
        machine: Hardware,
        title: str,
        kind: str = "held-out",
    ) -> None:
        self.model, self.held_out, self.machine = model, held_out, machine
        self.patience, self.title, self.kind = patience, title, kind
        self.best, self.best_epoch = -math.inf, -1
        self.weights: dict[str, torch.Tensor] = {}

    def ends(self, epoch: int) -> bool:
        """Score the model after an epoch, counted from 0; True if training should stop."""
        score = self._finite(self._score(), epoch)
        better = score > self.best
        if better:
            self.best, self.best_epoch, self.weights = score, epoch, self._weights()
        self._say(f"epoch {epoch + 1}: {score:.4f} on {self.kind} rows{', the best' * better}")
        return epoch - self.best_epoch >= self.patience

    def restore(self) -> None:
        """Load the best epoch's weights into the model."""
        self.model.load_state_dict(self.weights)
        self._say(f"kept epoch {self.best_epoch + 1}")

    def kept(self) -> Kept:
        """The kept epoch and its score."""
        rows = sum(len(split.rows) for splits in self.held_out.values() for split in splits)
        return Kept(rows, self.best_epoch + 1, self.best)

    def state(self) -> State:
        """The best epoch, its score and its weights."""
        if not self.weights:
            return State({}, {})
        return State(self.weights, {"score": self.best, "epoch": self.best_epoch})

    def load_state(self, state: State) -> None:
        """Restore what `state` returned."""
        if state.facts:
            self.best, self.best_epoch = state.facts["score"], state.facts["epoch"]
            self.weights = {name: weight.clone() for name, weight in state.tensors.items()}

    def _score(self) -> float:
        """Mean score of the tasks; a task's is the mean of its metrics, then of its splits."""
        self.model.eval()
        score = fmean(
            fmean(self._split_score(name, split) for split in splits)
            for name, splits in sorted(self.held_out.items())
        )
        self.model.train()
        return score

    def _split_score(self, task: str, split: HeldOut) -> float:
        labels, scored = split.labels[split.rows], self._logits(task, split)
        return fmean(metrics.scores(self.model.tasks[task], labels, scored).values())

    def _finite(self, score: float, epoch: int) -> float:
        """The score; NaN would be no epoch's best, and then there would be nothing to keep."""
        if math.isfinite(score):
            return score
        raise TrainingError(
            f"the score of the {self.kind} rows is not a number: "
            "the model's outputs are not finite",
            seen=score,
            where=f"{self.title}, after epoch {epoch + 1}",
            fix="lower learning_rate or clip_norm in params.yaml, then run the stage again",
        )

    def _logits(self, task: str, held_out: HeldOut) -> np.ndarray:
        return scoring.of_rows(self.model, task, held_out.tokens, held_out.rows, self.machine)

    def _weights(self) -> dict[str, torch.Tensor]:
        """A copy in the computer's memory, so that the device holds one model."""
        return {k: v.detach().to("cpu", copy=True) for k, v in self.model.state_dict().items()}

    def _say(self, words: str) -> None:
        progress.message(f"{self.title}: {words}")


def _count(task: str, rows: int, share: float) -> int:
    number = round(share * rows)
    if 0 < number < rows:
        return number
    raise TrainingError(
        f"a share of {share:g} of {rows} rows with a gold label is {number or 'none'}: there must "
        f"be a row to hold out and one to train on",
        where=f"task {task}, early_stopping in params.yaml",
        fix="change early_stopping.share, set early_stopping to null, or raise the row cap",
    )
