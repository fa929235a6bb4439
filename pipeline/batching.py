"""Which rows share a step: length-bucketed batches, each row once an epoch, re-drawn each epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

POOL = 200  # batches that are sorted by length together; the rest of the order stays random
JITTER = 1.5  # tokens added at random before sorting, or rows of rare lengths would always meet


class Batch(NamedTuple):
    """Rows of one task that share a step."""

    task: str
    rows: np.ndarray  # positions in the task's training set, (batch,)


def epoch(
    lengths: Mapping[str, np.ndarray], batch_size: int, seed: int, number: int
) -> list[Batch]:
    """Batches of one epoch by Algorithm 1 of arXiv 1904.09482.

    Every task's rows are packed into batches, the batches of all tasks are merged and shuffled.
    Unlike the authors' code, the packing is drawn anew in each epoch.

    Args:
        lengths: tokens of each row `(rows,)`, by task.
        batch_size: most rows of a batch.
        seed: seed of the run.
        number: number of the epoch, from 0.
    """
    merged: list[Batch] = []
    for position, (task, tokens) in enumerate(sorted(lengths.items())):
        random = np.random.default_rng([seed, number, position])
        merged += [Batch(task, rows) for rows in pack(tokens, batch_size, random)]
    order = np.random.default_rng([seed, number, len(lengths)]).permutation(len(merged))
    return [merged[place] for place in order]


def pack(lengths: np.ndarray, batch_size: int, random: np.random.Generator) -> list[np.ndarray]:
    """Batches of rows of similar length; every row is in exactly one.

    Args:
        lengths: tokens of each row `(rows,)`.
        batch_size: most rows of a batch.
        random: source of the order.
    """
    order = random.permutation(len(lengths))
    batches: list[np.ndarray] = []
    for start in range(0, len(order), POOL * batch_size):
        pool = order[start : start + POOL * batch_size]
        jittered = lengths[pool] + random.uniform(0, JITTER, len(pool))
        pool = pool[np.argsort(jittered, kind="stable")]
        batches += np.split(pool, range(batch_size, len(pool), batch_size))
    return [batch for batch in batches if len(batch)]


def by_tokens(lengths: np.ndarray, budget: int) -> list[np.ndarray]:
    """Batches for scoring: longest rows first, each batch within a budget of padded tokens.

    A row longer than the budget gets a batch of its own.
    """
    order = np.argsort(-lengths, kind="stable")
    batches: list[np.ndarray] = []
    start = 0
    while start < len(order):
        size = max(1, budget // max(1, int(lengths[order[start]])))
        batches.append(order[start : start + size])
        start += size
    return batches
