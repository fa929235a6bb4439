"""Numbers come back one batch behind, each with its own part.

Run with: python -m pytest tests/pipeline/runtime/test_readback.py
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pipeline.runtime.readback import Readback, one_behind


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], []),
        (["a"], ["start a", "finish a A"]),
        (
            ["a", "b", "c"],
            ["start a", "start b", "finish a A", "start c", "finish b B", "finish c C"],
        ),
    ],
)
def test_each_part_starts_before_the_one_before_is_finished(parts, expected):
    seen = []

    def start(part):
        seen.append(f"start {part}")
        return part.upper()

    one_behind(parts, start, lambda part, begun: seen.append(f"finish {part} {begun}"))
    assert seen == expected


def test_numbers_of_the_cpu_are_there_at_once():
    found = Readback(torch.tensor([[1.5, -2.0]])).array()
    assert found.dtype == np.float32
    assert found.tolist() == [[1.5, -2.0]]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_numbers_of_a_gpu_are_waited_for():
    values = torch.randn(4096, 4096, device="cuda")
    product = values @ values
    assert torch.equal(torch.from_numpy(Readback(product).array()), product.cpu())
