"""Cut rows into batches, by length or at random, batches into steps, and a batch into shards."""

from __future__ import annotations

import numpy as np

POOL = 200  # batches that are sorted by length together; the rest of the order stays random
JITTER = 1.5  # tokens added at random before sorting, or rows of rare lengths would always meet


def groups(
    lengths: np.ndarray,
    kept: np.ndarray,
    batch_size: int,
    accumulation: int,
    random: np.random.Generator,
    by_length: bool = True,
) -> list[tuple[np.ndarray, ...]]:
    """One pass over a task's rows: groups of batches, one group per step.

    Args:
        lengths: tokens of each row of the task `(rows,)`.
        kept: positions of the rows that are trained on `(kept,)`.
        batch_size: most rows of a batch.
        accumulation: most batches of a group; only the last one may have fewer.
        random: source of the order.
        by_length: whether the rows of a batch are of similar length.

    Returns:
        Groups of batches of positions `(batch,)`; every kept row is in exactly one batch.
    """
    if len(kept) == len(lengths):  # of millions of rows a second list of batches is not small
        batches = pack(lengths, batch_size, random, by_length)
    else:
        batches = [kept[at] for at in pack(lengths[kept], batch_size, random, by_length)]
    if (
        accumulation > 1 and by_length
    ):  # neighbours are of like length, and one step would see no other
        batches = [batches[place] for place in random.permutation(len(batches))]
    starts = range(0, len(batches), accumulation)
    return [tuple(batches[start : start + accumulation]) for start in starts]


def pack(
    lengths: np.ndarray, batch_size: int, random: np.random.Generator, by_length: bool = True
) -> list[np.ndarray]:
    """Batches of rows, of similar length or not; every row is in exactly one.

    Args:
        lengths: tokens of each row `(rows,)`.
        batch_size: most rows of a batch.
        random: source of the order.
        by_length: whether the rows of a batch are of similar length.
    """
    order = random.permutation(np.arange(len(lengths), dtype=np.int32))  # half of int64's memory
    batches: list[np.ndarray] = []
    for start in range(0, len(order), POOL * batch_size):
        pool = order[start : start + POOL * batch_size]
        if by_length:
            jittered = lengths[pool] + random.uniform(0, JITTER, len(pool))
            pool = pool[np.argsort(jittered, kind="stable")]
        batches += np.split(pool, range(batch_size, len(pool), batch_size))
    return [batch for batch in batches if len(batch)]


def cut(lengths: np.ndarray, batch: np.ndarray, number: int) -> list[np.ndarray]:
    """A batch's rows in shards of about as many tokens each, in the same order.

    Each is padded to its own longest row, so the fewer tokens are padding.

    Args:
        lengths: tokens of each row of the task `(rows,)`.
        batch: positions of the batch's rows `(batch,)`.
        number: most shards; none is empty.
    """
    total = np.cumsum(lengths[batch])
    shares = total[-1] * np.arange(1, number) / number
    return [part for part in np.split(batch, np.searchsorted(total, shares)) if len(part)]


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
