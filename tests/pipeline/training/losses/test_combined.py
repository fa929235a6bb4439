"""Hard loss and the combination of hard and soft, against numbers worked by hand.

Run with: python -m pytest tests/pipeline/training/losses/test_combined.py
"""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from pipeline.params.distillation import Distillation
from pipeline.training.losses import combined

LN3, LN4, LN4_3 = math.log(3), math.log(4), math.log(4 / 3)
KINDS = [
    {"kind": "cross_entropy"},
    {"kind": "kl"},
    {"kind": "mse"},
    {"kind": "dkd", "alpha": 1.0, "beta": 8.0},
    {"kind": "dist", "inter": 1.0, "intra": 1.0},
]

LN2 = math.log(2.0)


def distillation(**changes) -> Distillation:
    plain = {
        "hard_weight": 0.5,
        "temperature": 1.0,
        "loss": {"kind": "cross_entropy"},
        "label_smoothing": 0.0,
        "features": None,
    }
    return Distillation.model_validate(plain | changes)


def test_hard_loss_is_the_negative_log_probability_of_each_row():
    # softmax of (0, ln 3) is (1/4, 3/4)
    logits = torch.tensor([[0.0, LN3], [0.0, LN3]])
    loss = combined.hard(logits, torch.tensor([0, 1]))
    torch.testing.assert_close(loss, torch.tensor([LN4, LN4_3]))


def test_hard_loss_of_scores_is_the_squared_error_of_each_row():
    loss = combined.hard(torch.tensor([[1.0], [4.0]]), torch.tensor([2.0, 2.0]))
    assert loss.tolist() == [1.0, 4.0]


def test_smoothing_spreads_a_share_of_the_label_over_all_classes():
    # 0.2 spread over two classes leaves (0.9, 0.1) for label 0
    loss = combined.hard(torch.tensor([[0.0, LN3]]), torch.tensor([0]), 0.2)
    assert loss.item() == pytest.approx(0.9 * LN4 + 0.1 * LN4_3)


def test_smoothing_leaves_scores_alone():
    assert combined.hard(torch.tensor([[4.0]]), torch.tensor([2.0]), 0.2).tolist() == [4.0]


# One row of student (1/4, 3/4), label 0 with loss ln 4, soft target class 1 with loss ln 4/3.
@pytest.mark.parametrize(
    ("weight", "progress", "expected"),
    [
        (1.0, 0.3, LN4),
        (0.0, 0.3, LN4_3),
        (0.5, 0.3, (LN4 + LN4_3) / 2),
        ("annealed", 0.0, LN4_3),
        ("annealed", 0.25, 0.25 * LN4 + 0.75 * LN4_3),
        ("annealed", 1.0, LN4),
    ],
)
def test_hard_weight_mixes_hard_and_soft(weight, progress, expected):
    loss = combined.combined(
        torch.tensor([[0.0, LN3]]),
        torch.tensor([0]),
        torch.tensor([True]),
        torch.tensor([[0.0, 1.0]]),
        distillation(hard_weight=weight),
        progress,
    )
    assert loss.item() == pytest.approx(expected)


def test_a_row_without_a_gold_label_has_the_soft_loss_in_full():
    # both rows: hard ln 4, soft ln 4/3; known a quarter hard, unknown soft alone
    loss = combined.combined(
        torch.tensor([[0.0, LN3], [0.0, LN3]]),
        torch.tensor([0, 0]),
        torch.tensor([True, False]),
        torch.tensor([[0.0, 1.0], [0.0, 1.0]]),
        distillation(hard_weight=0.25),
        0.0,
    )
    assert loss.item() == pytest.approx((0.25 * LN4 + 0.75 * LN4_3 + LN4_3) / 2)


@pytest.mark.parametrize("loss", KINDS, ids=lambda loss: loss["kind"])
def test_the_label_of_an_unknown_row_decides_nothing(loss):
    logits = torch.tensor([[0.1, 0.9, -0.3], [0.4, 0.2, 1.1], [1.0, 0.0, 0.0]])
    targets = torch.tensor([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.1, 0.2, 0.7]])
    known = torch.tensor([True, False, True])
    losses = {
        combined.combined(
            logits, torch.tensor([1, label, 0]), known, targets, distillation(loss=loss), 0.0
        ).item()
        for label in range(3)
    }
    assert len(losses) == 1


def test_dkd_takes_the_gold_label_for_target_and_else_the_teachers_first_choice():
    logits, targets = torch.tensor([[0.0, 1.0, 2.0]]), torch.tensor([[0.2, 0.7, 0.1]])
    settings = distillation(loss={"kind": "dkd", "alpha": 1.0, "beta": 2.0}, hard_weight=0.0)

    def of(label: int, known: bool) -> float:
        labels, mask = torch.tensor([label]), torch.tensor([known])
        return combined.combined(logits, labels, mask, targets, settings, 0.0).item()

    assert of(0, known=False) == of(1, known=True)
    assert of(0, known=True) != pytest.approx(of(1, known=True), abs=1e-3)


@pytest.mark.parametrize("settings", [None, distillation(hard_weight=0.0, temperature=3.0)])
def test_a_task_without_teachers_has_the_hard_loss_alone(settings):
    loss = combined.combined(
        torch.tensor([[0.0, LN3]]), torch.tensor([0]), None, None, settings, 0.5
    )
    assert loss.item() == pytest.approx(LN4)


def test_labels_are_smoothed_in_tasks_without_teachers_only():
    row = torch.tensor([[0.0, LN3]]), torch.tensor([0]), None
    smoothed = distillation(label_smoothing=0.2, hard_weight=1.0)
    without = combined.combined(*row, None, smoothed, 0.0)
    taught = combined.combined(*row, torch.tensor([[0.0, 1.0]]), smoothed, 0.0)
    assert without.item() == pytest.approx(0.9 * LN4 + 0.1 * LN4_3)
    assert taught.item() == pytest.approx(LN4)


def test_rows_without_label_and_target_do_not_count():
    logits = torch.tensor([[0.0, LN3], [5.0, 0.0]], requires_grad=True)
    labels, known = torch.tensor([0, 1]), torch.tensor([True, False])
    loss = combined.combined(logits, labels, known, None, None, 0.0)
    loss.backward()
    assert loss.item() == pytest.approx(LN4)
    assert logits.grad[1].tolist() == [0.0, 0.0]
    assert combined.combined(logits, labels, torch.zeros(2).bool(), None, None, 0.0).item() == 0.0


@pytest.mark.parametrize("loss", KINDS, ids=lambda loss: loss["kind"])
@pytest.mark.parametrize(
    ("known", "expected"),
    [([True, True], (0.25 * 9 + 0.75 * 1 + 0.25 * 1 + 0.75 * 4) / 2), ([True, False], 3.5)],
)
def test_regression_learns_from_the_teachers_scores_by_squared_error(loss, known, expected):
    """A published distiller ignored the teacher on STS-B."""
    # gold errors 3 and 1, teachers' errors 1 and 2; unknown: (0.25 * 9 + 0.75 * 1 + 4) / 2
    value = combined.combined(
        torch.tensor([[2.0], [2.0]]),
        torch.tensor([5.0, 3.0]),
        torch.tensor(known),
        torch.tensor([[3.0], [4.0]]),
        distillation(hard_weight=0.25, loss=loss),
        0.0,
    )
    assert value.item() == pytest.approx(expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_losses_are_summed_in_float32(dtype):
    logits = torch.tensor([[0.0, 8.0]], dtype=dtype, requires_grad=True)
    settings = distillation(hard_weight=0.0)
    loss = combined.combined(
        logits, torch.tensor([1]), None, torch.tensor([[0.0, 1.0]]), settings, 0.0
    )
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(math.log1p(math.exp(-8)), rel=1e-4)
    assert logits.grad.dtype == dtype


@pytest.mark.parametrize("rows", [1, 7, 13, 32])
def test_the_mean_of_rows_has_the_gradient_of_the_mean_of_losses_to_the_last_bit(rows):
    """Numbers that were trained with the plain form of Eq. 4 stay as they are."""
    generator = torch.Generator().manual_seed(rows)
    logits = torch.randn(rows, 3, generator=generator)
    labels = torch.randint(3, (rows,), generator=generator)
    targets = torch.softmax(torch.randn(rows, 3, generator=generator), 1)
    plain, logits_of_mean = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    soft = -(targets * F.log_softmax(plain / 1.0, 1)).sum(1).mean() * 1.0
    torch.lerp(soft, F.cross_entropy(plain, labels), 0.5).backward()
    combined.combined(logits_of_mean, labels, None, targets, distillation(), 0.0).backward()
    assert torch.equal(plain.grad, logits_of_mean.grad)


@pytest.mark.parametrize(
    ("hard_weight", "share", "known", "expected"),
    [
        # hard loss of both rows ln 2, soft loss ln 2, ranking loss 5
        (1.0, 0.25, None, 0.75 * LN2 + 0.25 * 5),
        (0.5, 0.25, None, 0.5 * (0.75 * LN2 + 0.25 * 5) + 0.5 * LN2),
        (0.0, 1.0, None, LN2),  # nothing of gold labels, so nothing of their ranking
        (0.5, 1.0, None, 0.5 * 5 + 0.5 * LN2),  # the soft loss stays
        (0.5, 1.0, [True, False], 0.5 * (0.5 * 5 + 0.5 * LN2) + 0.5 * LN2),
    ],
)
def test_ranking_is_a_part_of_the_hard_loss(hard_weight, share, known, expected):
    logits, labels = torch.zeros(2, 2), torch.tensor([0, 1])
    targets = torch.tensor([[0.9, 0.1], [0.2, 0.8]])
    loss = combined.combined(
        logits,
        labels,
        None if known is None else torch.tensor(known),
        targets,
        distillation(hard_weight=hard_weight),
        0.0,
        (torch.tensor(5.0), share),
    )
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_ranking_without_teachers_shares_the_loss():
    logits, labels = torch.zeros(2, 2), torch.tensor([0, 1])
    loss = combined.combined(logits, labels, None, None, None, 0.0, (torch.tensor(5.0), 0.25))
    assert loss.item() == pytest.approx(0.75 * LN2 + 0.25 * 5, rel=1e-6)
