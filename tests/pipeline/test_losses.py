"""Losses against numbers worked by hand and gradients against their closed forms.

Run with: python -m pytest tests/pipeline/test_losses.py
"""

from __future__ import annotations

import math

import pytest
import torch

from pipeline import losses
from pipeline.params.sections import Distillation

LN2, LN3 = math.log(2), math.log(3)


def test_hard_loss_is_the_mean_negative_log_probability():
    # softmax of (0, ln 3) is (1/4, 3/4)
    logits = torch.tensor([[0.0, LN3], [0.0, LN3]])
    expected = (math.log(4) + math.log(4 / 3)) / 2
    assert losses.hard(logits, torch.tensor([0, 1])).item() == pytest.approx(expected)


def test_hard_loss_of_scores_is_the_mean_squared_error():
    found = losses.hard(torch.tensor([[1.0], [4.0]]), torch.tensor([2.0, 2.0]))
    assert found.item() == pytest.approx((1 + 4) / 2)


def test_soft_loss_is_the_cross_entropy_with_the_soft_targets():
    # student (1/4, 3/4), teachers (1/2, 1/2): (ln 4 + ln 4/3) / 2
    found = losses.soft(torch.tensor([[0.0, LN3]]), torch.tensor([[0.5, 0.5]]))
    assert found.item() == pytest.approx((math.log(4) + math.log(4 / 3)) / 2)


def test_soft_loss_softens_the_student_and_scales_by_the_square_of_the_temperature():
    # at T = 2 the logits (0, 2 ln 3) are those of (1/4, 3/4)
    found = losses.soft(torch.tensor([[0.0, 2 * LN3]]), torch.tensor([[1.0, 0.0]]), 2.0)
    assert found.item() == pytest.approx(4 * math.log(4))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0, 8.0])
def test_gradient_of_the_soft_loss_is_the_closed_form(temperature):
    """d/dz of T^2 CE(q, softmax(z/T)) is T (p - q), divided by the rows of the batch."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    targets = torch.softmax(torch.randn(5, 3, generator=generator, dtype=torch.float64), 1)
    losses.soft(logits, targets, temperature).backward()
    expected = temperature * (torch.softmax(logits.detach() / temperature, 1) - targets) / 5
    torch.testing.assert_close(logits.grad, expected)


@pytest.mark.parametrize(
    ("weight", "expected"),
    [(1.0, math.log(4)), (0.0, math.log(4 / 3)), (0.5, (math.log(4) + math.log(4 / 3)) / 2)],
)
def test_hard_weight_mixes_hard_and_soft(weight, expected):
    logits = torch.tensor([[0.0, LN3]])
    settings = Distillation(hard_weight=weight, temperature=1.0)
    found = losses.combined(logits, torch.tensor([0]), torch.tensor([[0.0, 1.0]]), settings)
    assert found.item() == pytest.approx(expected)


def test_a_task_without_teachers_has_the_hard_loss_alone():
    settings = Distillation(hard_weight=0.0, temperature=3.0)
    found = losses.combined(torch.tensor([[0.0, LN3]]), torch.tensor([0]), None, settings)
    assert found.item() == pytest.approx(math.log(4))


def test_regression_learns_from_the_teachers_scores_too():
    """A published distiller ignored the teacher on STS-B."""
    settings = Distillation(hard_weight=0.5, temperature=1.0)
    found = losses.combined(
        torch.tensor([[2.0]]), torch.tensor([5.0]), torch.tensor([[3.0]]), settings
    )
    assert found.item() == pytest.approx((9 + 1) / 2)
