"""Bytes that training needs, by hand.

Run with: python -m pytest tests/benchmarks/test_need.py
"""

from __future__ import annotations

import pytest

from benchmarks import need
from pipeline.planning.encoder_shapes import Shape


@pytest.mark.parametrize(
    ("precision", "token", "copies"),
    [
        # 4 x (6 x 8 + 2 x 16) + (8 + 2) x 8 + (2 x 4 + 1) x 2 x 5; no copies
        ("float32", 320 + 80 + 90, 0),
        # 2 x (6 x 8 + 2 x 16) + (8 + 2) x 8 + (2 x 2 + 1) x 2 x 5; 2 layers of 512 weights
        ("bfloat16", 160 + 80 + 50, 2 * 2 * 512),
    ],
)
def test_needed_bytes_by_hand(precision, token, copies) -> None:
    """Two layers 8 wide, 3 rows of 5 tokens, two heads."""
    shape = Shape(layers=2, hidden=8, intermediate=16, heads=2, vocabulary=10)
    assert need.batch(shape, 3, 5, precision) == 2 * 15 * token
    assert need.state(shape, 1000, precision) == 16_000 + copies
