"""Groups of operators.

Run with: python -m pytest tests/benchmarks/test_breakdown.py
"""

from __future__ import annotations

import pytest
import torch

from benchmarks import breakdown


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
