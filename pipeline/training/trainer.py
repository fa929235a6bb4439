"""The training loop, the same for candidates, teachers, student, baseline and tuned models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from pipeline.errors import TrainingError
from pipeline.model.multitask import MultiTaskModel
from pipeline.runtime import signals
from pipeline.runtime.hardware import Hardware
from pipeline.runtime.progress import bar
from pipeline.runtime.thread_pool import ThreadPool
from pipeline.training import early_stopping, step_log, task_passes, task_sampling
from pipeline.training.amounts import Amounts
from pipeline.training.losses.objective import TrainingSet
from pipeline.training.resume.resume import Checkpointer, Stateful
from pipeline.training.run import Run
from pipeline.training.step import TrainingStep, engine

__all__ = ["Run", "TrainingSet", "train"]


def train(
    model: MultiTaskModel,
    sets: Mapping[str, TrainingSet],
    run: Run,
    machine: Hardware,
    checkpoints: Checkpointer | None = None,
) -> dict[str, Any]:
    """Train the model in place, one task per step, and log every step as CSV.

    With early stopping, or with dev rows in `sets`, the model ends with the weights of its best
    epoch. Model and log are to the byte the same whether the run was killed and resumed, however
    often, or not.

    Args:
        model: on the machine's device already, as the run's feature loss is.
        sets: training rows by task.
        run: settings, seed, log file.
        machine: device, precision, engine, shards, threads.
        checkpoints: writes and restores the state of the run; None to start from the beginning.

    Returns:
        For the model's manifest `trained`, the counts of `Amounts`, and `held_out`: rows, epoch and
        score of `Kept`, or None without early stopping. With dev rows in `sets` `best_epoch` has
        the same of them.

    Raises:
        TrainingError: no rows, too few of them for early stopping, or a loss that is not finite
            (names task, step and rate).
        EncoderError: layer decay is asked for and the encoder has no stack of layers.
    """
    known = {task: rows.gold for task, rows in sets.items()}
    held_out = early_stopping.hold_out(known, run.settings.early_stopping, run.seed)
    sets = {task: rows.without(held_out[task]) for task, rows in sets.items()}
    plan = _plan(sets, held_out, run)
    if not plan.steps:
        raise TrainingError("no rows to train on", where=run.title)
    stopper = _stopper(model, sets, held_out, run, machine)
    with (
        step_log.opened(run.log, run.title, run.live) as log,
        ThreadPool(machine.threads) as workers,
        engine(machine.engine, model) as seeding,
        signals.defer_interrupts() as interrupt,
    ):
        training = TrainingStep(model, sets, run, machine, workers, plan.steps, seeding)
        model.train()
        loop = _Loop(training, log, stopper, checkpoints, interrupt)
        loop.run(plan, run.title)
    if stopper is not None:
        stopper.restore()
    model.eval()
    return {"trained": asdict(loop.amounts), "held_out": None} | _kept(stopper)


@dataclass(frozen=True)
class _Loop:
    """The steps of one run, with its log, early stopping, checkpoints and interrupts."""

    training: TrainingStep
    log: step_log.StepLog
    stopper: early_stopping.EarlyStopper | None
    checkpoints: Checkpointer | None
    interrupt: signals.DeferredInterrupt
    amounts: Amounts = field(default_factory=Amounts)

    def run(self, plan: task_sampling.Plan, title: str) -> None:
        """Take the steps that are not done yet, until the last one or early stopping."""
        if self.checkpoints is not None:
            self.checkpoints.restore(self._parts())
        with bar(title, plan.rows, "rows", self.log.rows.total()) as shown:
            for epoch, steps in plan.after(self.training.done):
                for step in steps:
                    shown.advance(step.rows, self._take(epoch, step))
                shown.advance(0, self.log.flush())
                if self.stopper is not None and self.stopper.ends(epoch):
                    break

    def _take(self, epoch: int, step: task_sampling.Step) -> str:
        """Take one step, after a checkpoint if it is time; a note for the progress bar."""
        number = self.training.done
        if self.checkpoints is not None:
            self.checkpoints.keep(number, self._parts(), at_once=self.interrupt.seen)
        self.interrupt.check()
        loss, rate = self.training.take(step)
        self.amounts.add(step, epoch, self.training.sets)
        return self.log.add(number, epoch, step.task, step.rows, loss, rate)

    def _parts(self) -> dict[str, Stateful]:
        """The parts of the run that a checkpoint has, by name."""
        parts: dict[str, Stateful] = {"loop": self.training, "log": self.log}
        parts["amounts"] = self.amounts
        if self.stopper is not None:
            parts["watch"] = self.stopper
        return parts


def _kept(stopper: early_stopping.EarlyStopper | None) -> dict[str, Any]:
    """The kept epoch, by the rows that chose it: dev rows must not pass for rows held out of train.

    The stronger baseline is the one with the higher score on rows that no result is of.
    """
    if stopper is None:
        return {}
    name = "best_epoch" if stopper.kind == "dev" else "held_out"
    return {name: stopper.kept()._asdict()}


def _plan(
    sets: Mapping[str, TrainingSet], held_out: Mapping[str, np.ndarray], run: Run
) -> task_sampling.Plan:
    pools, counts = {}, {}
    for task, rows in sets.items():
        trained = np.ones(len(rows.labels), bool)
        trained[held_out[task]] = False
        kept = np.flatnonzero(trained).astype(np.int32)
        pools[task] = task_sampling.Pool(rows.tokens.lengths, kept)
        gold = int(rows.gold[kept].sum())
        taught = rows.targets is not None
        counts[task] = task_passes.TaskRows(gold, len(kept) - gold, taught)
    passes = task_passes.passes(run.sampling, counts)
    return task_sampling.Plan(pools, run.settings, run.sampling, run.seed, passes)


def _stopper(
    model: MultiTaskModel,
    sets: Mapping[str, TrainingSet],
    held_out: Mapping[str, np.ndarray],
    run: Run,
    machine: Hardware,
) -> early_stopping.EarlyStopper | None:
    dev = {task: rows.dev for task, rows in sets.items() if rows.dev}
    if dev:
        epochs = run.settings.epochs  # as patience they stop nothing
        return early_stopping.EarlyStopper(model, dev, epochs, machine, run.title, "dev")
    if run.settings.early_stopping is None:
        return None
    scored = {
        task: [early_stopping.HeldOut(rows.tokens, rows.labels, held_out[task])]
        for task, rows in sets.items()
    }
    patience = run.settings.early_stopping.patience
    return early_stopping.EarlyStopper(model, scored, patience, machine, run.title)
