"""Twenty times as many rows take no more memory to train on.

Run with: python -m pytest tests/benchmarks/test_rows.py
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks import rows

FEW, MANY = 2_000, 40_000
SLACK = 32.0
"""MiB by which the peaks may differ. With rows in memory they differ by 98."""


@pytest.mark.medium
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/status")
def test_anonymous_memory_does_not_grow_with_the_rows():
    with ThreadPoolExecutor(2) as side_by_side:
        few, many = side_by_side.map(lambda count: rows.peaks(count, steps=2), (FEW, MANY))
    assert abs(many["rows"] - few["rows"]) < SLACK
    assert few["steps"] > few["start"] > 0
