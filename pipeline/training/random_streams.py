"""Random numbers of a training run: one stream per purpose, so that no draw shifts another."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """The purpose of a stream."""

    BATCHES = 0
    """Packing of rows and order of batches, by epoch and position of the task."""
    HELD_OUT = 1
    """Rows held out of training, by position of the task."""
    TASKS = 2
    """Task of each step, by epoch."""
    CYCLES = 3
    """Packing of one pass over a task's rows, by number of the pass and position of the task."""
    NEGATIVES = 4
    """Extra pairs of a head, by step and position of the batch in it."""
    DROPOUT = 5
    """Dropout masks, by step, batch and shard; shards.py seeds them, not `stream`."""


def stream(seed: int, purpose: Purpose, number: int = 0, position: int = 0) -> np.random.Generator:
    """Random numbers that depend on the arguments alone.

    Args:
        seed: seed of the run.
        purpose: what the numbers are drawn for.
        number: epoch, step or pass that they are for, from 0.
        position: position of a task or a batch in it, from 0.
    """
    # The purpose comes last: numpy reads missing words at the end as zeros.
    return np.random.default_rng([seed, number, position, purpose])
