"""Small jobs that the tests of the benchmarks share."""

from __future__ import annotations

import pytest

from benchmarks.job import Job


@pytest.fixture
def job() -> Job:
    """A narrow model of one layer on 12 rows, two epochs in batches of 5."""
    return Job("ours", "speck", rows=12, epochs=2, batch_size=5, max_length=24)
