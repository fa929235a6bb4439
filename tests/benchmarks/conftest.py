"""Small jobs that the tests of the benchmarks share."""

from __future__ import annotations

import pytest
import torch

from benchmarks.job import Job


@pytest.fixture
def job() -> Job:
    """A narrow model of one layer on 12 rows, two epochs in batches of 5."""
    return Job("ours", "speck", rows=12, epochs=2, batch_size=5, max_length=24)


@pytest.fixture
def state():
    """What contestants set for their whole process is put back."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    matmul = torch.backends.mkldnn.matmul
    library = matmul.fp32_precision
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(strict)
    matmul.fp32_precision = library
