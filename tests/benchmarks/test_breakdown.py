"""Groups of operators.

Run with: python -m pytest tests/benchmarks/test_breakdown.py
"""

from __future__ import annotations

import pytest
import torch

from benchmarks import breakdown, limit, need
from pipeline.planning.encoder_shapes import Shape


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("aten::addmm", "matrix products"),
        ("aten::mm", "matrix products"),
        ("aten::bmm", "matrix products"),
        ("aten::linear", "matrix products"),
        ("aten::mul", "sums and elementwise"),
        ("aten::native_layer_norm_backward", "layer norm"),
        ("aten::linalg_vector_norm", "optimizer and clipping"),
        ("aten::_fused_adamw_", "optimizer and clipping"),
        ("aten::embedding_dense_backward", "embeddings"),
        ("aten::_softmax", "softmax and attention kernel"),
        ("aten::native_dropout", "dropout"),
        ("aten::gelu_backward", "GELU and tanh"),
        ("aten::copy_", "copies and layout"),
        ("AddmmBackward0", breakdown.REST),
    ],
)
def test_operators_have_their_groups(name, title) -> None:
    assert breakdown.group(name) == title


def test_most_of_a_product_is_a_product() -> None:
    one = torch.randn(600, 600)
    groups = breakdown.by_group(lambda: [torch.mm(one, one) for _ in range(20)])
    assert next(iter(groups)) == "matrix products"
    assert list(groups.values()) == sorted(groups.values(), reverse=True)


def test_the_share_of_the_products_rate_by_hand() -> None:
    """Products alone take 3 of the 4 seconds of a step with the same FLOP."""
    turns = [{"step": {"cpu": 4.0, "wall": 2.0}, "products": {"cpu": 3.0, "wall": 1.0}}]
    assert limit.shares(turns, "cpu") == (75.0,)
    assert limit.shares(turns, "wall") == (50.0,)


def test_needed_bytes_by_hand() -> None:
    """Two layers, 3 rows of 5 tokens: 2 x 15 x (4 x (8 x 8 + 2 x 16) + 2 x 8 + 9 x 2 x 5)."""
    shape = Shape(layers=2, hidden=8, intermediate=16, heads=2, vocabulary=10)
    assert need.batch(shape, 3, 5) == 2 * 15 * (384 + 16 + 90)
    assert need.state(1000) == 16_000
