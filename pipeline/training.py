"""The training loop: one for teachers, student and baseline."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from pipeline import batching, losses, optimizers, progress
from pipeline.errors import TrainingError
from pipeline.machine import Machine
from pipeline.model import MultiTaskModel
from pipeline.params.sections import Distillation, Training
from pipeline.tokens import Tokens

FLUSH = 25  # steps between reads of the losses, so that a GPU is not waited for at each step
COLUMNS = ("step", "epoch", "task", "loss", "learning_rate")


@dataclass(frozen=True)
class TrainingSet:
    """Rows of one task to train on.

    Attributes:
        tokens: the rows' tokens.
        labels: gold labels `(rows,)`, int64 classes or float32 scores.
        targets: soft targets `(rows, classes or 1)` float32; None without teachers.
    """

    tokens: Tokens
    labels: np.ndarray
    targets: np.ndarray | None = None


@dataclass(frozen=True)
class Run:
    """What one training run is: its settings, its seed and where it logs."""

    title: str
    settings: Training
    seed: int
    log: Path
    distillation: Distillation | None = None


class _Step(NamedTuple):
    number: int
    epoch: int
    task: str
    loss: torch.Tensor
    rate: float


def train(
    model: MultiTaskModel, sets: Mapping[str, TrainingSet], run: Run, machine: Machine
) -> None:
    """Train the model in place, one task a step, and log every step as CSV.

    Args:
        model: on the machine's device already.
        sets: training rows by task.
        run: settings, seed, log file.
        machine: device, precision, threads.

    Raises:
        TrainingError: no rows, or a loss that is not finite (names task, step and rate).
    """
    plan = list(_plan(sets, run))
    if not plan:
        raise TrainingError("no rows to train on", where=run.title)
    torch.manual_seed(run.seed)
    optimizer = optimizers.build(model, run.settings, machine.device)
    scaler = torch.amp.GradScaler(machine.device, enabled=machine.precision == "float16")
    model.train()
    rows = sum(len(batch.rows) for _, batch in plan)
    with (
        run.log.open("w", newline="", encoding="utf-8") as file,
        progress.bar(run.title, rows, "rows") as bar,
    ):
        log = csv.writer(file, lineterminator="\n")
        log.writerow(COLUMNS)
        waiting: list[_Step] = []
        for number, (epoch, batch) in enumerate(plan):
            lr = optimizers.rate(number, len(plan), run.settings)
            loss = _loss(model, sets[batch.task], batch, run.distillation, machine)
            _update(model, optimizer, scaler, loss, lr, run.settings.clip_norm)
            waiting.append(_Step(number, epoch, batch.task, loss.detach(), lr))
            note = ""
            if len(waiting) == FLUSH or number + 1 == len(plan):
                note = f"loss {_flush(waiting, log, run.title):.3f}"
            bar.advance(len(batch.rows), note)
    model.eval()


def _plan(sets: Mapping[str, TrainingSet], run: Run) -> Iterator[tuple[int, batching.Batch]]:
    lengths = {task: rows.tokens.lengths for task, rows in sets.items()}
    for epoch in range(run.settings.epochs):
        for batch in batching.epoch(lengths, run.settings.batch_size, run.seed, epoch):
            yield epoch, batch


def _loss(
    model: MultiTaskModel,
    rows: TrainingSet,
    batch: batching.Batch,
    distillation: Distillation | None,
    machine: Machine,
) -> torch.Tensor:
    inputs = {k: machine.put(v) for k, v in rows.tokens.batch(batch.rows).items()}
    labels = machine.put(rows.labels[batch.rows])
    targets = None if rows.targets is None else machine.put(rows.targets[batch.rows])
    with machine.autocast():
        logits = model(batch.task, inputs)
    return losses.combined(logits, labels, targets, distillation)


def _update(
    model: MultiTaskModel, optimizer: Any, scaler: Any, loss: torch.Tensor, lr: float, clip: float
) -> None:
    for group in optimizer.param_groups:
        group["lr"] = lr
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad(set_to_none=True)


def _flush(waiting: list[_Step], log: Any, title: str) -> float:
    """Write the waiting steps to the log and give the mean loss; stop if one is not finite."""
    values = torch.stack([step.loss for step in waiting]).tolist()
    for step, value in zip(waiting, values, strict=True):
        if not math.isfinite(value):
            raise TrainingError(
                f"the loss of task {step.task} is not finite at step {step.number}",
                seen=value,
                where=f"{title}, learning rate {step.rate:.3g}",
                mend="lower learning_rate or clip_norm, or lengthen warmup, in params.yaml",
            )
        log.writerow((step.number, step.epoch, step.task, f"{value:.6f}", f"{step.rate:.6g}"))
    waiting.clear()
    return float(sum(values) / len(values))
