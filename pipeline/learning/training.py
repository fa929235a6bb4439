"""The training loop: one for candidates, teachers, student, baseline and tuning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pipeline.errors import TrainingError
from pipeline.learning import early_stopping, optimizers, sampling, step_log
from pipeline.learning.objective import Objective, TrainingSet
from pipeline.learning.streams import Purpose, stream
from pipeline.machine import Machine
from pipeline.models.model import MultiTaskModel
from pipeline.params.distillation import Distillation
from pipeline.params.sampling import MergedSampling, Sampling
from pipeline.params.training import Training
from pipeline.progress import bar

if TYPE_CHECKING:
    from pipeline.learning.internals import Matcher

__all__ = ["Run", "TrainingSet", "train"]


@dataclass(frozen=True)
class Run:
    """What one training run is.

    Attributes:
        title: what the progress says.
        settings: epochs, rates and so on.
        seed: seed of batches, dropout and held-out rows.
        log: CSV file to write, one line a step.
        distillation: how hard and soft loss are combined; None for hard labels only.
        sampling: proportion of the tasks.
        task_weights: factors on the losses of tasks; 1 for a task that is not named.
        matcher: loss between inner states of the model and of teachers.
    """

    title: str
    settings: Training
    seed: int
    log: Path
    distillation: Distillation | None = None
    sampling: Sampling = field(default_factory=lambda: MergedSampling(kind="merged"))
    task_weights: Mapping[str, float] = field(default_factory=dict)
    matcher: Matcher | None = None


def train(
    model: MultiTaskModel, sets: Mapping[str, TrainingSet], run: Run, machine: Machine
) -> None:
    """Train the model in place, one task a step, and log every step as CSV.

    With early stopping the model ends with the weights of its best epoch.

    Args:
        model: on the machine's device already, as the run's matcher is.
        sets: training rows by task.
        run: settings, seed, log file.
        machine: device, precision, threads.

    Raises:
        TrainingError: no rows, too few of them for early stopping, or a loss that is not finite
            (names task, step and rate).
        EncoderError: layer decay is asked for and the encoder has no stack of layers.
    """
    known = {task: rows.gold for task, rows in sets.items()}
    held = early_stopping.hold_out(known, run.settings.early_stopping, run.seed)
    sets = {task: rows.without(held[task]) for task, rows in sets.items()}
    epochs = _plan(sets, held, run)
    if not any(epochs):
        raise TrainingError("no rows to train on", where=run.title)
    watch = _watch(model, sets, held, run, machine)
    torch.manual_seed(run.seed)
    with (
        step_log.opened(run.log, run.title) as log,
        bar(run.title, sum(step.rows for steps in epochs for step in steps), "rows") as shown,
    ):
        loop = _Loop(model, sets, run, machine, sum(map(len, epochs)))
        model.train()
        for epoch, steps in enumerate(epochs):
            for step in steps:
                number = loop.done
                loss, rate = loop.take(step)
                shown.advance(step.rows, log.add(number, epoch, step.task, loss, rate))
            shown.advance(0, log.flush())
            if watch is not None and watch.ends(epoch):
                break
    if watch is not None:
        watch.restore()
    model.eval()


def _plan(
    sets: Mapping[str, TrainingSet], held: Mapping[str, np.ndarray], run: Run
) -> list[list[sampling.Step]]:
    pools = {}
    for task, rows in sets.items():
        kept = np.setdiff1d(np.arange(len(rows.labels)), held[task])
        pools[task] = sampling.Pool(rows.tokens.lengths, kept)
    return sampling.plan(pools, run.settings, run.sampling, run.seed)


def _watch(
    model: MultiTaskModel,
    sets: Mapping[str, TrainingSet],
    held: Mapping[str, np.ndarray],
    run: Run,
    machine: Machine,
) -> early_stopping.Watch | None:
    if run.settings.early_stopping is None:
        return None
    scored = {
        task: early_stopping.HeldOut(rows.tokens, rows.labels, held[task])
        for task, rows in sets.items()
    }
    patience = run.settings.early_stopping.patience
    return early_stopping.Watch(model, scored, patience, machine, run.title)


class _Loop:
    """The run's optimizer and how far it has come."""

    def __init__(
        self,
        model: MultiTaskModel,
        sets: Mapping[str, TrainingSet],
        run: Run,
        machine: Machine,
        steps: int,
    ) -> None:
        self.sets, self.run, self.steps, self.done = sets, run, steps, 0
        self.objective = Objective(model, machine, run.distillation, run.task_weights, run.matcher)
        beside = [] if run.matcher is None else [*run.matcher.parameters()]
        self.weights = [*model.parameters(), *beside]
        self.optimizer = optimizers.build(model, run.settings, machine.device, beside)
        self.scaler: Any = torch.amp.GradScaler(
            machine.device, enabled=machine.precision == "float16"
        )

    def take(self, step: sampling.Step) -> tuple[torch.Tensor, float]:
        """Take one step; its loss, a mean over its rows, and its learning rate."""
        rate = optimizers.rate(self.done, self.steps, self.run.settings)
        optimizers.set_rate(self.optimizer, rate)
        parts = [self._backward(step, place) for place in range(len(step.batches))]
        self.scaler.unscale_(self.optimizer)
        torch.nn.utils.clip_grad_norm_(self.weights, self.run.settings.clip_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        self.done += 1
        return torch.stack(parts).sum(), rate

    def _backward(self, step: sampling.Step, place: int) -> torch.Tensor:
        """Add one batch's gradients, weighted by its share of the step's rows."""
        batch = step.batches[place]
        random = stream(self.run.seed, Purpose.NEGATIVES, self.done, place)
        progress = self.done / self.steps
        loss = self.objective.loss(step.task, self.sets[step.task], batch, progress, random)
        loss = loss * (len(batch) / step.rows)
        self.scaler.scale(loss).backward()
        return loss.detach()
