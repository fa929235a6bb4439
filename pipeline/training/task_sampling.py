"""Choose the task of each step: batches of all tasks merged and shuffled, or tasks drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import count, islice
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from pipeline.model import batching
from pipeline.params.sampling import (
    MergedSampling,
    PowerSampling,
    Sampling,
    TemperatureSampling,
    UniformSampling,
    WeightedSampling,
)
from pipeline.params.training import Training
from pipeline.training.random_streams import Purpose, stream

Drawn = PowerSampling | TemperatureSampling | UniformSampling | WeightedSampling
"""Sampling in which the task of each step is drawn at random."""

Groups = list[tuple[np.ndarray, ...]]
"""The batches of each of a task's steps."""

_ONCE: Mapping[str, Fraction] = MappingProxyType({})


class Pool(NamedTuple):
    """Rows of one task that batches are made of."""

    lengths: np.ndarray  # tokens of each row of the task, (rows,)
    kept: np.ndarray  # positions of the rows that are trained on, (kept,)


class Step(NamedTuple):
    """One step of the optimizer."""

    task: str
    batches: tuple[np.ndarray, ...]  # positions of each batch's rows, (batch,)

    @property
    def rows(self) -> int:
        """Rows of all its batches."""
        return sum(map(len, self.batches))


class Plan(NamedTuple):
    """The steps of a run, made epoch by epoch: those of many rows would fill the memory.

    Attributes:
        pools: rows by task.
        settings: number of epochs, batch size and accumulation.
        sampling: proportion of the tasks.
        seed: seed of the run.
        passes: passes over a task's rows in an epoch, 1 for a task that is not there; for merged
            sampling alone.
    """

    pools: Mapping[str, Pool]
    settings: Training
    sampling: Sampling
    seed: int
    passes: Mapping[str, Fraction] = _ONCE

    @property
    def steps(self) -> int:
        """Steps of the optimizer in all epochs."""
        sizes = {task: len(pool.kept) for task, pool in self.pools.items()}
        return steps(sizes, self.settings, self.passes)

    @property
    def rows(self) -> int:
        """Rows of all steps, a row as often as it is drawn."""
        if isinstance(self.sampling, MergedSampling) and not self.passes:
            return self.settings.epochs * sum(len(pool.kept) for pool in self.pools.values())
        return sum(step.rows for steps in self.epochs() for step in steps)

    def epochs(self) -> Iterator[list[Step]]:
        """Steps of every epoch; each call returns the same ones."""
        if not isinstance(self.sampling, MergedSampling):
            yield from _drawn(self.pools, self.settings, self.sampling, self.seed)
            return
        repeated = _repeated(self.pools, self.settings, self.seed, self.passes)
        for epoch, groups in zip(range(self.settings.epochs), repeated, strict=False):
            yield merged(self.pools, self.settings, self.seed, epoch, groups)

    def after(self, done: int) -> Iterator[tuple[int, list[Step]]]:
        """Number and steps of every epoch, without the first `done` steps of all."""
        for epoch, steps in enumerate(self.epochs()):
            if done < len(steps):
                yield epoch, steps[done:]
            done = max(0, done - len(steps))


def steps(
    sizes: Mapping[str, int], settings: Training, passes: Mapping[str, Fraction] = _ONCE
) -> int:
    """Steps of all epochs under any sampling.

    Args:
        sizes: number of training rows by task.
        settings: number of epochs, batch size and accumulation.
        passes: passes over a task's rows in an epoch, 1 for a task that is not there.
    """
    return sum(
        _steps_until(settings.epochs, steps_per_epoch({task: size}, settings), passes.get(task))
        for task, size in sizes.items()
    )


def _steps_until(epochs: int, steps_per_pass: int, passes: Fraction | None) -> int:
    """Steps of one task in its first epochs; part of a step counts as a whole one."""
    return math.ceil(epochs * steps_per_pass * (1 if passes is None else passes))


def steps_per_epoch(sizes: Mapping[str, int], settings: Training) -> int:
    """Steps of one pass over the rows of all tasks, which is an epoch unless passes are given.

    Args:
        sizes: number of training rows by task.
        settings: batch size and accumulation.
    """
    batches = [math.ceil(size / settings.batch_size) for size in sizes.values()]
    return sum(math.ceil(number / settings.accumulation) for number in batches)


def chances(sizes: Mapping[str, int], sampling: Drawn) -> dict[str, float]:
    """Each task's chance to be a step's task; they sum to 1.

    Args:
        sizes: number of training rows by task, each above 0.
        sampling: power and temperature depend on the sizes, the others do not.
    """
    parts = {task: _part(task, size, sampling) for task, size in sizes.items()}
    return {task: part / sum(parts.values()) for task, part in parts.items()}


def merged(
    pools: Mapping[str, Pool],
    settings: Training,
    seed: int,
    epoch: int,
    repeated: Mapping[str, Groups] = MappingProxyType({}),
) -> list[Step]:
    """Steps of one epoch by Algorithm 1 of arXiv 1904.09482: every row once, unless repeated.

    Every task's rows are packed into batches, the batches of all tasks are merged and shuffled.
    Algorithm 1 packs rows once, before the first epoch: `batches: fixed`.

    Args:
        pools: rows by task.
        settings: batch size and accumulation.
        seed: seed of the run.
        epoch: number of the epoch, from 0.
        repeated: batches of this epoch's steps of tasks that do not make one pass an epoch.
    """
    steps: list[Step] = []
    for position, (task, pool) in enumerate(sorted(pools.items())):
        if (groups := repeated.get(task)) is None:
            random = stream(seed, Purpose.BATCHES, epoch, position)
            groups = _groups(pool, settings, random, seed, position)
        steps += [Step(task, group) for group in groups]
    order = stream(seed, Purpose.BATCHES, epoch, len(pools)).permutation(len(steps))
    return [steps[place] for place in order]


def _repeated(
    pools: Mapping[str, Pool], settings: Training, seed: int, passes: Mapping[str, Fraction]
) -> Iterator[dict[str, Groups]]:
    """Batches of each epoch's steps, without end, of the tasks with other than one pass an epoch.

    A task's passes continue from epoch to epoch, so that each row has its turn in every pass.
    """
    endless = {
        task: _passes(pools[task], settings, seed, position)
        for position, task in enumerate(sorted(pools))
        if task in passes
    }
    sizes = {task: steps_per_epoch({task: len(pools[task].kept)}, settings) for task in endless}
    for epoch in count():
        yield {
            task: [
                *islice(
                    groups,
                    _steps_until(epoch + 1, sizes[task], passes[task])
                    - _steps_until(epoch, sizes[task], passes[task]),
                )
            ]
            for task, groups in endless.items()
        }


def _drawn(
    pools: Mapping[str, Pool], settings: Training, sampling: Drawn, seed: int
) -> Iterator[list[Step]]:
    """As many steps per epoch as in `merged`; a task's passes continue from epoch to epoch."""
    names = sorted(name for name, pool in pools.items() if len(pool.kept))
    sizes = {name: len(pools[name].kept) for name in names}
    passes = [_passes(pools[name], settings, seed, place) for place, name in enumerate(names)]
    share = list(chances(sizes, sampling).values())
    for epoch in range(settings.epochs):
        random = stream(seed, Purpose.TASKS, epoch)
        tasks = (
            random.choice(len(names), steps_per_epoch(sizes, settings), p=share) if names else ()
        )
        yield [Step(names[task], next(passes[task])) for task in tasks]


def _passes(
    pool: Pool, settings: Training, seed: int, position: int
) -> Iterator[tuple[np.ndarray, ...]]:
    """Groups of one task without end: all its rows, then all of them packed again."""
    for number in count():
        random = stream(seed, Purpose.CYCLES, number, position)
        groups = _groups(pool, settings, random, seed, position)
        yield from (groups[place] for place in random.permutation(len(groups)))


def _groups(
    pool: Pool, settings: Training, random: np.random.Generator, seed: int, position: int
) -> Groups:
    by_length = settings.batches == "by_length"
    if not by_length:  # those of the first epoch in every one
        random = stream(seed, Purpose.BATCHES, 0, position)
    size, most = settings.batch_size, settings.accumulation
    return batching.groups(pool.lengths, pool.kept, size, most, random, by_length)


def _part(task: str, size: int, sampling: Drawn) -> float:
    match sampling:
        case PowerSampling():
            return float(size**sampling.alpha)
        case TemperatureSampling():
            return float(size ** (1 / sampling.temperature))
        case UniformSampling():
            return 1.0
        case WeightedSampling():
            return sampling.weights[task]
