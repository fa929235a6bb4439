"""Every row exactly once a pass, whatever the lengths; groups of batches; little padding.

Run with: python -m pytest tests/pipeline/model/test_batching.py
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import batching
from pipeline.planning import row_lengths as table
from pipeline.tasks import GLUE

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


@given(LENGTHS, st.data(), st.integers(1, 9), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_groups_hold_every_kept_row_once_and_only_the_last_is_short(
    lengths, data, batch_size, accumulation, seed
):
    row_numbers = np.flatnonzero(
        data.draw(st.lists(st.booleans(), min_size=len(lengths)))[: len(lengths)]
    )
    random = np.random.default_rng(seed)
    groups = batching.groups(lengths, row_numbers, batch_size, accumulation, random)
    rows = [row for group in groups for batch in group for row in batch]
    assert sorted(rows) == row_numbers.tolist()
    assert all(len(group) == accumulation for group in groups[:-1])
    assert all(0 < len(group) <= accumulation for group in groups)
    batches = math.ceil(len(row_numbers) / batch_size)
    assert len(groups) == math.ceil(batches / accumulation)


def test_groups_of_one_are_the_packed_batches_in_their_order():
    lengths = np.array([9, 3, 7, 5, 8, 4])
    batches = batching.pack(lengths, 2, np.random.default_rng(4))
    groups = batching.groups(lengths, np.arange(6), 2, 1, np.random.default_rng(4))
    assert [group[0].tolist() for group in groups] == [batch.tolist() for batch in batches]


def test_batches_of_a_group_are_not_neighbours_in_length():
    """Packed batches lie in order of length; grouped so, a step would see one length only."""
    lengths = np.arange(400)
    groups = batching.groups(lengths, lengths, 10, 4, np.random.default_rng(0))
    spans = [max(map(np.max, group)) - min(map(np.min, group)) for group in groups]
    assert np.median(spans) > 100  # neighbours would span about 40


def test_padding_stays_small_on_lengths_like_those_of_glue():
    lengths = np.random.default_rng(1).lognormal(3.9, 0.5, 4000).astype(int).clip(8, 256)
    batches = batching.pack(lengths, 32, np.random.default_rng(0))
    padded = sum(len(batch) * lengths[batch].max() for batch in batches)
    assert 1 - lengths.sum() / padded < 0.05


def _like(task, most, random):
    """Lengths of as many rows as the task has, 10,000 at most: straight lines through the table."""
    means = np.array(table.GLUE[task], float)
    ends = means[0] - (means[1] - means[0]) / 2, means[-1] + (means[-1] - means[-2]) / 2
    shares = [0, *np.linspace(0.05, 0.95, 10), 1]
    drawn = random.random(min(GLUE[task].rows["train"], 10_000))
    lengths = np.interp(drawn, shares, [ends[0], *means, ends[1]])
    return lengths.round().astype(int).clip(3, most)


@pytest.mark.parametrize("task", table.GLUE)
def test_padding_is_under_a_twentieth_on_every_task_at_the_default_batch_size(defaults, task):
    """Of WNLI's 635 rows there are 20 batches only, so five epochs are counted."""
    settings, tokens, padded = defaults.student, 0, 0
    for epoch in range(5):
        lengths = _like(task, settings.max_length, np.random.default_rng(1))
        assert lengths.mean() == pytest.approx(np.mean(table.GLUE[task]), rel=0.1)
        batches = batching.pack(lengths, settings.batch_size, np.random.default_rng([2, epoch]))
        tokens += lengths.sum()
        padded += sum(len(batch) * lengths[batch].max() for batch in batches)
    assert 1 - tokens / padded < 0.05
