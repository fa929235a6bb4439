"""FLOP of a step by hand, and against the products that the rate is measured with.

Run with: python -m pytest tests/benchmarks/test_flops.py
"""

from __future__ import annotations

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import flops, models, rate
from benchmarks.contestants.ceiling import shape_of
from pipeline.planning.encoder_shapes import Shape

SMALL = Shape(layers=2, hidden=8, intermediate=16, heads=2, vocabulary=10)


def test_a_step_by_hand() -> None:
    """A layer has 4 x 64 + 2 x 128 = 512 weights; 3 rows of 5 tokens are 15.

    Linear: 6 x 2 x 512 x 15 = 92,160. Attention: 12 x 2 x 8 x 3 x 25 = 14,400.
    """
    assert flops.linear(SMALL, 15) == 92_160
    assert flops.attention(SMALL, 3, 5) == 14_400
    assert flops.step(SMALL, 3, 5) == 106_560


def test_the_measured_products_are_those_that_are_counted() -> None:
    with FlopCounterMode(display=False) as counted:
        for product in rate.products(SMALL, 3, 5):
            product.run()
    assert counted.get_total_flops() == flops.step(SMALL, 3, 5)


def test_a_real_training_step_has_as_many() -> None:
    """But for the first layer's inputs nothing is left out; pooler and head are on top."""
    model = models.classifier("speck", seed=0).train()
    shape = shape_of(model.config.to_dict())
    inputs = torch.randint(1000, 2000, (4, 16))
    with FlopCounterMode(display=False) as counted:
        model(input_ids=inputs, labels=torch.zeros(4, dtype=torch.long)).loss.backward()
    width, rows = shape.hidden, 4
    above = 3 * 2 * rows * (width * width + width * 2)
    assert counted.get_total_flops() == flops.step(shape, rows, 16) + above
