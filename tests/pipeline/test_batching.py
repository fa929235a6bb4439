"""Every row exactly once an epoch, whatever the lengths; little padding; same seed, same batches.

Run with: python -m pytest tests/pipeline/test_batching.py
"""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline import batching

LENGTHS = st.lists(st.integers(1, 512), min_size=0, max_size=400).map(np.array)


@given(LENGTHS, st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_packing_holds_every_row_once(lengths, batch_size, seed):
    batches = batching.pack(lengths, batch_size, np.random.default_rng(seed))
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert all(0 < len(batch) <= batch_size for batch in batches)


@given(LENGTHS, st.integers(1, 2000))
def test_token_batches_hold_every_row_once_within_the_budget(lengths, budget):
    batches = batching.by_tokens(lengths, budget)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        padded = len(batch) * lengths[batch].max()
        assert padded <= budget or len(batch) == 1


def test_a_thousand_rows_give_a_thousand_distinct_rows():
    """A published sampler drew 222 distinct rows of 1,000 where it bucketed by length."""
    lengths = np.random.default_rng(0).integers(5, 128, 1000)
    drawn = [row for batch in batching.epoch({"rte": lengths}, 16, 0, 0) for row in batch.rows]
    assert len(drawn) == len(set(drawn)) == 1000


def test_batches_are_drawn_anew_each_epoch():
    """A published sampler fixed the members of each batch once and for all."""
    lengths = np.arange(1, 201) % 50 + 5
    epochs = [
        {tuple(sorted(batch.rows)) for batch in batching.epoch({"rte": lengths}, 8, 1, number)}
        for number in (0, 1)
    ]
    assert epochs[0] != epochs[1]
    assert len(epochs[0] & epochs[1]) < 5


def test_same_seed_and_epoch_give_the_same_batches():
    lengths = {"rte": np.arange(5, 60), "cola": np.arange(5, 30)}
    first, again = (batching.epoch(lengths, 8, 3, 2) for _ in range(2))
    assert [(b.task, list(b.rows)) for b in first] == [(b.task, list(b.rows)) for b in again]


def test_all_tasks_are_merged_and_shuffled():
    """Algorithm 1: batches of all tasks in one random order, one task a batch."""
    lengths = {"rte": np.full(80, 10), "cola": np.full(160, 10)}
    order = [batch.task for batch in batching.epoch(lengths, 8, 0, 0)]
    assert order.count("rte") == 10
    assert order.count("cola") == 20
    assert order not in (sorted(order), sorted(order, reverse=True))


def test_padding_stays_small_on_lengths_like_those_of_glue():
    lengths = np.random.default_rng(1).lognormal(3.9, 0.5, 4000).astype(int).clip(8, 256)
    batches = batching.pack(lengths, 32, np.random.default_rng(0))
    padded = sum(len(batch) * lengths[batch].max() for batch in batches)
    assert 1 - lengths.sum() / padded < 0.05
