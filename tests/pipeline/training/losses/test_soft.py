"""Soft losses against numbers worked by hand and gradients against their closed forms.

Run with: python -m pytest tests/pipeline/training/losses/test_soft.py
"""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pipeline.params.losses.cross_entropy import CrossEntropy
from pipeline.params.losses.dist import Correlation
from pipeline.params.losses.dkd import Decoupled
from pipeline.params.losses.kl import KullbackLeibler
from pipeline.params.losses.mse import LogitMse
from pipeline.training.losses.soft.base import SOFT_LOSSES
from pipeline.training.losses.soft.cross_entropy import cross_entropy
from pipeline.training.losses.soft.dist import dist
from pipeline.training.losses.soft.dkd import dkd
from pipeline.training.losses.soft.kl import kl
from pipeline.training.losses.soft.mse import mse

LN2, LN3, LN4, LN4_3 = math.log(2), math.log(3), math.log(4), math.log(4 / 3)
KINDS = [
    CrossEntropy(kind="cross_entropy"),
    KullbackLeibler(kind="kl"),
    LogitMse(kind="mse"),
    Decoupled(kind="dkd", alpha=1.0, beta=8.0),
    Correlation(kind="dist", inter=1.0, intra=2.0),
]
TEMPERATURES = pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0, 8.0])


def drawn(rows: int, classes: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Student's logits and soft targets in float64."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, classes, generator=generator, dtype=torch.float64)
    targets = torch.randn(rows, classes, generator=generator, dtype=torch.float64).softmax(1)
    return logits.requires_grad_(), targets


def test_cross_entropy_of_each_row():
    # student (1/4, 3/4); teachers (1/2, 1/2) and (0, 1)
    logits = torch.tensor([[0.0, LN3], [0.0, LN3]])
    losses = cross_entropy(logits, torch.tensor([[0.5, 0.5], [0.0, 1.0]]))
    torch.testing.assert_close(losses, torch.tensor([(LN4 + LN4_3) / 2, LN4_3]))


def test_the_student_is_softened_and_the_loss_scaled_by_the_square_of_the_temperature():
    # at T = 2 the logits (0, 2 ln 3) are those of (1/4, 3/4)
    logits, targets = torch.tensor([[0.0, 2 * LN3]]), torch.tensor([[1.0, 0.0]])
    assert cross_entropy(logits, targets, 2.0).item() == pytest.approx(4 * LN4)
    assert kl(logits, targets, 2.0).item() == pytest.approx(4 * LN4)


def test_kl_is_cross_entropy_less_the_entropy_of_the_targets():
    # teachers (1/2, 1/2), student (1/4, 3/4): 1/2 ln 2 + 1/2 ln 2/3
    losses = kl(torch.tensor([[0.0, LN3]]), torch.tensor([[0.5, 0.5]]))
    assert losses.item() == pytest.approx(0.5 * LN2 + 0.5 * math.log(2 / 3))


@TEMPERATURES
@pytest.mark.parametrize("loss", [cross_entropy, kl])
def test_gradient_of_cross_entropy_and_kl_is_the_closed_form(loss, temperature):
    """d/dz of T^2 CE(q, softmax(z/T)) is T (p - q)."""
    logits, targets = drawn(5, 3)
    loss(logits, targets, temperature).sum().backward()
    expected = temperature * (torch.softmax(logits.detach() / temperature, 1) - targets)
    torch.testing.assert_close(logits.grad, expected)


def test_mse_compares_centred_logits():
    # log of (1/4, 3/4) centred is (-ln 3 / 2, ln 3 / 2); student (5, 5) centred is (0, 0)
    losses = mse(torch.tensor([[5.0, 5.0]]), torch.tensor([[0.25, 0.75]]))
    assert losses.item() == pytest.approx(LN3**2 / 4)


def test_mse_is_zero_for_the_teachers_logits_shifted_by_any_constant():
    logits = torch.tensor([[1.0, -2.0, 0.5]])
    assert mse(logits + 7.0, logits.softmax(1)).item() == pytest.approx(0.0, abs=1e-10)


def test_gradient_of_mse_is_the_closed_form():
    """d/dz is 2/classes (centred z - centred log q)."""
    logits, targets = drawn(5, 3)
    mse(logits, targets).sum().backward()
    logs = targets.log()
    expected = logits.detach() - logits.detach().mean(1, keepdim=True)
    expected = 2 / 3 * (expected - logs + logs.mean(1, keepdim=True))
    torch.testing.assert_close(logits.grad, expected)


def test_mse_with_a_probability_of_zero_takes_the_smallest_normal_float():
    losses = mse(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 1.0]]))
    assert losses.item() == pytest.approx((126 * LN2 / 2) ** 2)  # 2^-126


def test_dkd_weighs_the_target_class_and_the_others_apart():
    # student (1/2, 1/4, 1/4), teachers (1/4, 1/4, 1/2), target 0:
    # TCKD = KL((1/4, 3/4) || (1/2, 1/2)); NCKD = KL((1/3, 2/3) || (1/2, 1/2))
    tckd = 0.25 * math.log(0.5) + 0.75 * math.log(1.5)
    nckd = math.log(2 / 3) / 3 + 2 / 3 * math.log(4 / 3)
    logits = torch.tensor([[LN2, 0.0, 0.0]])
    targets = torch.tensor([[0.25, 0.25, 0.5]])
    losses = dkd(logits, targets, torch.tensor([0]), 2.0, 8.0)
    assert losses.item() == pytest.approx(2 * tckd + 8 * nckd)


# At T = 2 the logits (2 ln 2, 0, 0) are those of (1/2, 1/4, 1/4).
@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0.0), (0.0, 1.0)])
def test_dkd_is_scaled_by_the_square_of_the_temperature(alpha, beta):
    targets, classes = torch.tensor([[0.25, 0.25, 0.5]]), torch.tensor([0])
    cold = dkd(torch.tensor([[LN2, 0.0, 0.0]]), targets, classes, alpha, beta)
    warm = dkd(torch.tensor([[2 * LN2, 0.0, 0.0]]), targets, classes, alpha, beta, 2.0)
    assert warm.item() == pytest.approx(4 * cold.item())


PROBABILITIES = st.lists(st.floats(-8, 8), min_size=5, max_size=5)


@given(PROBABILITIES, PROBABILITIES, st.integers(2, 5), st.integers(0, 4), st.floats(0.5, 8))
def test_kl_is_tckd_and_nckd_weighed_by_what_the_target_leaves(
    student, teacher, count, target, temperature
):
    """Eq. 6 of the paper: dkd with alpha 1 and beta 1 - q_target is KL."""
    logits = torch.tensor([student[:count]], dtype=torch.float64)
    targets = torch.tensor([teacher[:count]], dtype=torch.float64).softmax(1)
    target %= count
    beta = 1 - targets[0, target].item()
    losses = dkd(logits, targets, torch.tensor([target]), 1.0, beta, temperature)
    torch.testing.assert_close(losses, kl(logits, targets, temperature))


@TEMPERATURES
def test_gradient_of_dkd_is_the_closed_form(temperature):
    """T alpha (p_t - q_t) for the target t, T (alpha (q_t - p_t) p'_i + beta (p'_i - q'_i)) else.

    p' and q' are the probabilities among the classes other than the target.
    """
    logits, targets = drawn(6, 4)
    classes = torch.tensor([0, 1, 2, 3, 0, 2])
    dkd(logits, targets, classes, 1.5, 8.0, temperature).sum().backward()
    p = torch.softmax(logits.detach() / temperature, 1)
    gold = torch.nn.functional.one_hot(classes, 4).bool()
    gap = (p[gold] - targets[gold])[:, None]
    among_p = p / (1 - p[gold])[:, None]
    among_q = targets / (1 - targets[gold])[:, None]
    others = -1.5 * gap * among_p + 8.0 * (among_p - among_q)
    torch.testing.assert_close(logits.grad, temperature * torch.where(gold, 1.5 * gap, others))


def test_dkd_of_two_classes_is_the_target_class_part_alone():
    logits, targets = drawn(4, 2)
    classes = torch.tensor([0, 1, 0, 1])
    losses = dkd(logits, targets, classes, 1.0, 100.0)
    torch.testing.assert_close(losses, kl(logits, targets))


# Student rows (1/2, 1/4, 1/4) and (1/4, 1/2, 1/4); teachers' (1/4, 1/2, 1/4) and the same again.
# Rows: centred (2, -1, -1)/12 against (-1, 2, -1)/12 has r = -3/6; the second row has r = 1.
# Columns: the teachers' are constant, so there is nothing to follow.
def test_dist_is_one_less_the_correlation_of_each_row():
    logits = torch.tensor([[LN2, 0.0, 0.0], [0.0, LN2, 0.0]])
    targets = torch.tensor([[0.25, 0.5, 0.25], [0.25, 0.5, 0.25]])
    losses = dist(logits, targets, 1.0, 1.0)
    torch.testing.assert_close(losses, torch.tensor([1.5, 0.0]))


# Two classes, three rows. Student's class 1: 1/2, 3/4, 1/2; teachers': 1/4, 1/4, 3/4. Centred
# (-1, 2, -1)/12 against (-1, -1, 2)/6 has r = -3/6 in both columns. Rows: the student's first and
# last are constant (distance 1), the second is (1/4, 3/4) against (3/4, 1/4), r = -1.
@pytest.mark.parametrize(
    ("inter", "intra", "expected"),
    [(0.0, 1.0, [1.5, 1.5, 1.5]), (1.0, 0.0, [1, 2, 1]), (2.0, 3.0, [6.5, 8.5, 6.5])],
)
def test_dist_adds_the_correlation_of_the_columns_to_every_row(inter, intra, expected):
    logits = torch.tensor([[0.0, 0.0], [0.0, LN3], [0.0, 0.0]])
    targets = torch.tensor([[0.75, 0.25], [0.75, 0.25], [0.25, 0.75]])
    losses = dist(logits, targets, inter, intra)
    torch.testing.assert_close(losses, torch.tensor(expected, dtype=torch.float32))
    warm = dist(2 * logits, targets, inter, intra, 2.0)
    torch.testing.assert_close(warm, 4 * losses)


@TEMPERATURES
def test_dist_is_zero_for_equal_probabilities(temperature):
    logits, _ = drawn(6, 4)
    equal = (logits / temperature).softmax(1).detach()
    losses = dist(logits, equal, 1.0, 1.0, temperature)
    torch.testing.assert_close(losses, torch.zeros(6, dtype=torch.float64))


@given(st.integers(0, 99), st.floats(0.1, 5), st.floats(-3, 3))
def test_dist_does_not_see_affine_maps_of_a_row(seed, scale, shift):
    """Relations are kept, not values; each row may have a map of its own."""
    logits, targets = drawn(3, 4, seed)
    scales = torch.tensor([[1.0], [scale], [2.0]], dtype=torch.float64)
    mapped = scales * targets + shift
    torch.testing.assert_close(dist(logits, mapped, 1.0, 0.0), dist(logits, targets, 1.0, 0.0))
    # One map for all rows keeps the columns' relations too.
    torch.testing.assert_close(
        dist(logits, scale * targets + shift, 1.0, 1.0),
        dist(logits, targets, 1.0, 1.0),
    )


@TEMPERATURES
@pytest.mark.parametrize(("inter", "intra"), [(1.0, 0.0), (0.0, 1.0), (2.0, 3.0)])
def test_gradient_of_dist_is_the_closed_form(temperature, inter, intra):
    """d(-r)/da is (r a' - b') / |a|, a' and b' centred and of length 1; then softmax's Jacobian."""
    rows, classes = 5, 3
    logits, targets = drawn(rows, classes)
    dist(logits, targets, inter, intra, temperature).sum().backward()
    p = (logits.detach() / temperature).softmax(1)

    def slope(student: Tensor, teacher: Tensor) -> Tensor:
        a, b = (v - v.mean(1, keepdim=True) for v in (student, teacher))
        length = a.norm(dim=1, keepdim=True)
        a, b = a / length, b / b.norm(dim=1, keepdim=True)
        return ((a * b).sum(1, keepdim=True) * a - b) / length

    # the mean over columns is in every row's loss: rows / classes times each column's
    by_p = inter * slope(p, targets) + intra * rows / classes * slope(p.T, targets.T).T
    expected = temperature * p * (by_p - (p * by_p).sum(1, keepdim=True))
    torch.testing.assert_close(logits.grad, expected)


UNIFORM = [[1 / 3, 1 / 3, 1 / 3]]
PEAK = [[0.7, 0.2, 0.1]]


@pytest.mark.parametrize(
    ("logits", "targets", "expected"),
    [
        ([[1.0, 0.0, 0.0]], UNIFORM, [0.0]),  # nothing to follow, one row
        ([[0.1, 0.1, 0.1]], UNIFORM, [0.0]),
        ([[0.1, 0.1, 0.1]], PEAK, [1.0]),  # follows nothing
        ([[0.1, 0.1, 0.1]] * 3, PEAK * 3, [1.0] * 3),  # no column varies
        ([[1000.0, 0.0, 0.0]] * 2, [[1.0, 0.0, 0.0]] * 2, [0.0] * 2),  # saturated
        ([[1000.0, 0.0, 0.0]] * 2, UNIFORM * 2, [0.0] * 2),
        ([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]] * 3, [[0.35, 0.35, 0.3]] * 6, [0.5, 0.5] * 3),
        ([[0.0, -50.0], [0.0, -51.0]], [[0.8, 0.2], [0.9, 0.1]], [1.0, 1.0]),  # below all floats
        ([[0.0, 0.0], [0.0, 0.0]], [[0.9, 0.1], [0.2, 0.8]], [2.0, 2.0]),
    ],
)
def test_dist_survives_rows_and_columns_that_do_not_vary(logits, targets, expected):
    student = torch.tensor(logits, requires_grad=True)
    losses = dist(student, torch.tensor(targets), 1.0, 1.0)
    losses.sum().backward()
    torch.testing.assert_close(losses, torch.tensor(expected))
    assert student.grad.isfinite().all()


EXTREMES = st.sampled_from([-1e4, -60.0, 0.0, 1e-7, 60.0, 1e4])


@pytest.mark.parametrize("loss", KINDS, ids=lambda loss: loss.kind)
@given(
    st.lists(st.lists(EXTREMES, min_size=3, max_size=3), min_size=1, max_size=3),
    st.lists(st.lists(EXTREMES, min_size=3, max_size=3), min_size=3, max_size=3),
)
def test_values_and_gradients_are_finite_at_the_extremes(loss, student, teacher):
    logits = torch.tensor(student, requires_grad=True)
    targets = torch.tensor(teacher[: len(student)]).softmax(1)
    losses = SOFT_LOSSES[loss.kind](logits, targets, targets.argmax(1), 1.0, loss)
    losses.sum().backward()
    assert losses.shape == (len(student),)
    assert losses.isfinite().all()
    assert logits.grad.isfinite().all()


def test_the_kind_named_in_params_is_taken_with_its_weights():
    logits, targets = drawn(4, 3)
    classes = torch.tensor([0, 1, 2, 0])
    expected = [
        cross_entropy(logits, targets, 2.0),
        kl(logits, targets, 2.0),
        mse(logits, targets),
        dkd(logits, targets, classes, 1.0, 8.0, 2.0),
        dist(logits, targets, 1.0, 2.0, 2.0),
    ]
    for loss, values in zip(KINDS, expected, strict=True):
        assert torch.equal(SOFT_LOSSES[loss.kind](logits, targets, classes, 2.0, loss), values)
