"""Rows of the benchmarks: lengths, shapes, and that they are the same every time.

Run with: python -m pytest tests/benchmarks/test_workload.py
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import lengths, workload
from benchmarks.contestants import ours
from benchmarks.job import Job
from benchmarks.padding import others, share
from pipeline.planning import row_lengths as planned
from pipeline.tasks import GLUE

PARTIAL = {"mnli": 10_233, "qnli": 10_145, "qqp": 19_495}


@pytest.mark.parametrize("task", GLUE)
def test_the_counted_lengths_are_those_of_the_plan(task) -> None:
    token_lengths = lengths.of(task)
    assert len(token_lengths) == PARTIAL.get(task, GLUE[task].rows["train"])
    assert token_lengths.mean() == pytest.approx(np.mean(planned.GLUE[task]), rel=0.03)


def test_the_counts_are_those_of_real_rows(real_glue) -> None:
    job = Job("ours", "student", task="rte", data=str(real_glue), max_length=512)
    assert np.array_equal(np.sort(workload.of(job).tokens.lengths), lengths.of("rte"))


def test_the_same_job_gives_the_same_rows(job) -> None:
    data = workload.of(job)
    assert data.digest == workload.of(replace(job, contestant="trainer_padded")).digest
    assert data.digest != workload.of(replace(job, seed=1)).digest
    assert len(data.labels) == len(data.tokens.lengths) == 12
    assert data.tokens.lengths.max() == 24


def test_fewer_rows_spread_over_all_lengths() -> None:
    every = np.minimum(lengths.of("rte"), 128)
    some = workload.of(Job("ours", "student", rows=320)).tokens.lengths
    assert some.mean() == pytest.approx(every.mean(), rel=0.01)


def test_the_first_rows_are_the_first_rows(job) -> None:
    whole, some = workload.of(job), workload.of(job).first(3)
    one, two = (rows.tokens.batch(np.arange(3)) for rows in (whole, some))
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert some.labels.tolist() == whole.labels[:3].tolist()


def test_padding_by_hand() -> None:
    """Batches (2, 4) and (3,): 8 + 3 tokens, 9 of them real."""
    padding = share(np.array([2, 3, 4]), [np.array([0, 2]), np.array([1])])
    assert padding == pytest.approx(100 * 2 / 11)


def test_padding_of_others_by_hand() -> None:
    """Sorted in pairs, (2, 3) and (4,), 10 tokens; to 8 each, 24; real are 9."""
    job = Job("ours", "student", batch_size=2, max_length=8)
    in_order, _, fixed = others(np.array([2, 4, 3]), job)
    assert in_order == pytest.approx(100 * 1 / 10)
    assert fixed == pytest.approx(100 * 15 / 24)


def test_every_row_is_in_one_of_our_batches(job) -> None:
    batches = ours.batches(workload.of(job).tokens.lengths, job)
    assert sorted(np.concatenate(batches).tolist()) == list(range(12))
