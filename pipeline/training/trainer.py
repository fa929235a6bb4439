"""The training loop, the same for candidates, teachers, student, baseline and tuned models."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipeline.errors import TrainingError
from pipeline.model.multitask import MultiTaskModel
from pipeline.runtime import signals
from pipeline.runtime.hardware import Hardware
from pipeline.runtime.progress import bar
from pipeline.runtime.thread_pool import ThreadPool
from pipeline.training import early_stopping, step_log, task_sampling
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
) -> None:
    """Train the model in place, one task per step, and log every step as CSV.

    With early stopping, or with dev rows in `sets`, the model ends with the weights of its best
    epoch. Model and log are to
    the byte the same whether the run was killed and resumed, however often, or not.

    Args:
        model: on the machine's device already, as the run's feature loss is.
        sets: training rows by task.
        run: settings, seed, log file.
        machine: device, precision, engine, shards, threads.
        checkpoints: writes and restores the state of the run; None to start from the beginning.

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
        loop = TrainingStep(model, sets, run, machine, workers, plan.steps, seeding)
        parts: dict[str, Stateful] = {"loop": loop, "log": log}
        if stopper is not None:
            parts["watch"] = stopper
        if checkpoints is not None:
            checkpoints.take_up(parts)
        with bar(run.title, plan.rows, "rows", log.rows.total()) as shown:
            model.train()
            for epoch, steps in plan.after(loop.done):
                for step in steps:
                    number = loop.done
                    if checkpoints is not None:
                        checkpoints.keep(number, parts, at_once=interrupt.seen)
                    interrupt.check()
                    loss, rate = loop.take(step)
                    note = log.add(number, epoch, step.task, step.rows, loss, rate)
                    shown.advance(step.rows, note)
                shown.advance(0, log.flush())
                if stopper is not None and stopper.ends(epoch):
                    break
    if stopper is not None:
        stopper.restore()
    model.eval()


def _plan(
    sets: Mapping[str, TrainingSet], held_out: Mapping[str, np.ndarray], run: Run
) -> task_sampling.Plan:
    pools = {}
    for task, rows in sets.items():
        trained = np.ones(len(rows.labels), bool)
        trained[held_out[task]] = False
        pools[task] = task_sampling.Pool(
            rows.tokens.lengths, np.flatnonzero(trained).astype(np.int32)
        )
    return task_sampling.Plan(pools, run.settings, run.sampling, run.seed)


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
