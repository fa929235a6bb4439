"""FLOP of a step by hand, and against the products that the rate is measured with.

Run with: python -m pytest tests/benchmarks/test_flops.py
"""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import flops, models, rate
from pipeline.planning.encoder_shapes import Shape

SMALL = Shape(layers=2, hidden=8, intermediate=16, heads=2, vocabulary=10)


def test_a_step_by_hand() -> None:
    """A layer has 4 x 64 + 2 x 128 = 512 weights; 3 rows of 5 tokens are 15.

    Linear: 6 x 2 x 512 x 15 = 92,160. Attention: 12 x 2 x 8 x 3 x 25 = 14,400.
    """
    assert flops.linear(SMALL, 15) == 92_160
    assert flops.attention(SMALL, 3, 5) == 14_400
    assert flops.step(SMALL, 3, 5) == 106_560


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_the_measured_products_are_those_that_are_counted(kind) -> None:
    products = rate.step(SMALL, 3, 5, kind)
    with FlopCounterMode(display=False) as counted:
        rate.by_torch(products)()
    assert counted.get_total_flops() == flops.step(SMALL, 3, 5)
    assert sum(product.flops for product in products) == flops.step(SMALL, 3, 5)
    assert {operand.dtype for product in products for operand in product} == {kind}


def test_numpy_multiplies_what_torch_does() -> None:
    """Every result is overwritten, so that none is left from the other library."""
    products = rate.step(SMALL, 3, 5, torch.float32)
    rate.by_torch(products)()
    by_torch = [product.result.clone() for product in products]
    for product in products:
        product.result.zero_()
    rate.by_numpy(products)()
    for product, result in zip(products, by_torch, strict=True):
        torch.testing.assert_close(product.result, result)


def test_square_products_have_two_flop_for_each_pair_of_numbers() -> None:
    (product,) = rate.square(torch.bfloat16)
    assert product.flops == 2 * 2048**3


def test_a_real_training_step_has_as_many() -> None:
    """But for the first layer's inputs nothing is left out; the head is on top."""
    model = models.classifier("speck", seed=0).train()
    shape = models.shape_of(model)
    inputs, rows = torch.randint(1000, 2000, (4, 16)), 4
    with FlopCounterMode(display=False) as counted:
        model(inputs, torch.ones_like(inputs), labels=torch.zeros(rows).long()).loss.backward()
    above = 3 * 2 * rows * shape.hidden * 2
    assert counted.get_total_flops() == flops.step(shape, rows, 16) + above
