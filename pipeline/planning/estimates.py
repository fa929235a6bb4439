"""Estimate a run's operations, memory and hours on a device, and the time of many runs."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.params.machine import Machine
from pipeline.planning import cost
from pipeline.planning.cost import Memory
from pipeline.planning.devices import Device, Precision
from pipeline.planning.encoder_shapes import Shape
from pipeline.planning.stage_runs import Run
from pipeline.runtime import choices


@dataclass(frozen=True)
class Estimate:
    """The cost of one run.

    Attributes:
        flop: floating-point operations.
        memory: bytes, of its largest moment.
        seconds: on one device that does nothing else.
        disk: bytes of the weights that it writes.
    """

    flop: float
    memory: Memory
    seconds: float
    disk: float


def of(run: Run, device: Device, machine: Machine) -> Estimate | None:
    """Estimate a run; None if it cannot be counted.

    Args:
        run: what is trained and scored.
        device: what it runs on.
        machine: precision, and tokens of a pass when rows are scored.

    Raises:
        ParamsError: the device has no fast products of the precision.
    """
    if run.shape is None or run.unknown:
        return None
    precision = device.precision(machine.precision)
    tokens = machine.labelling_tokens
    if not isinstance(tokens, int):
        tokens = choices.tokens_for(device.memory)
    return Estimate(
        flop=_flop(run, run.shape),
        memory=_memory(run, run.shape, device, precision, tokens),
        seconds=_seconds(run, run.shape, device, precision),
        disk=4.0 * run.weights if run.trained else 0.0,
    )


def wall(seconds: Iterable[float], devices: int) -> float:
    """Seconds until all runs are done, each given in turn to the device that is free first."""
    free = [0.0] * devices
    for duration in seconds:
        heapq.heapreplace(free, free[0] + duration)
    return max(free)


def _flop(run: Run, shape: Shape) -> float:
    trained = sum(cost.training(shape, work.load) for work in run.trained.values())
    guided = cost.forward(*run.guide) if run.guide else 0.0
    return trained + guided + cost.forward(shape, run.scored)


def _seconds(run: Run, shape: Shape, device: Device, precision: Precision) -> float:
    seconds = cost.START + cost.seconds_of_scoring(shape, run.scored, device, precision)
    if run.guide:
        seconds += cost.seconds_of_scoring(*run.guide, device, precision)
    optimizer = run.job.settings.optimizer
    return seconds + sum(
        cost.seconds_of_training(shape, work, run.weights, optimizer, device, precision)
        for work in run.trained.values()
    )


def _memory(run: Run, shape: Shape, device: Device, precision: Precision, tokens: int) -> Memory:
    settings, weights = run.job.settings, 4.0 * run.weights
    scored = tokens / settings.max_length  # rows of a pass
    passing = cost.activations(
        shape, scored, settings.max_length, precision, device.fused, layers=1
    )
    if not run.trained:
        return Memory(weights, 0, 0, passing, device.overhead)
    rows, fused = settings.batch_size * run.widened, device.fused and not run.job.eager
    kept = cost.activations(shape, rows, settings.max_length, precision, fused)
    guide = 4.0 * run.guide[0].parameters(pooler=False) if run.guide else 0.0
    states = cost.STATES * weights
    return Memory(weights + guide, weights, states, max(kept, passing), device.overhead)
