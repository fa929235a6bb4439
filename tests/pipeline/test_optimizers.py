"""The schedule against numbers worked by hand; what is decayed and what is not.

Run with: python -m pytest tests/pipeline/test_optimizers.py
"""

from __future__ import annotations

import pytest
import torch

from pipeline import optimizers


@pytest.mark.parametrize(
    ("step", "expected"),
    # 10 steps, 20 % warm-up, highest rate 9: thirds while rising, eighths while falling
    [(0, 3.0), (1, 6.0), (2, 9.0), (6, 4.5), (9, 1.125)],
)
def test_rate_rises_then_falls_linearly(settings, step, expected):
    changed = settings.model_copy(update={"warmup": 0.2, "learning_rate": 9.0})
    assert optimizers.rate(step, 10, changed) == pytest.approx(expected)


def test_without_warmup_the_first_step_has_the_highest_rate(settings):
    changed = settings.model_copy(update={"warmup": 0.0, "learning_rate": 0.5})
    assert optimizers.rate(0, 1, changed) == 0.5


@pytest.mark.parametrize(
    ("name", "kind"), [("adamw", torch.optim.AdamW), ("adamax", torch.optim.Adamax)]
)
def test_biases_and_norms_are_not_decayed(settings, name, kind):
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4))
    changed = settings.model_copy(update={"optimizer": name, "weight_decay": 0.1})
    optimizer = optimizers.build(model, changed, "cpu")
    assert isinstance(optimizer, kind)
    shapes = {
        group["weight_decay"]: [tuple(p.shape) for p in group["params"]]
        for group in optimizer.param_groups
    }
    assert shapes == {0.1: [(4, 3)], 0.0: [(4,), (4,), (4,)]}
