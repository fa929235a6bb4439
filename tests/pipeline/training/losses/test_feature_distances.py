"""Distances of inner states against numbers worked by hand.

Run with: python -m pytest tests/pipeline/training/losses/test_feature_distances.py
"""

from __future__ import annotations

import math

import pytest
import torch

from pipeline.training.losses import feature_distances

# Two rows of two tokens, the second row's second token is padding with wild values.
MASK = torch.tensor([[1, 1], [1, 0]])
STUDENT = torch.tensor([[[1.0, 0.0], [0.0, 2.0]], [[1.0, 1.0], [9.0, -9.0]]])
TEACHER = torch.tensor([[[3.0, 0.0], [0.0, -1.0]], [[1.0, 0.0], [-7.0, 0.0]]])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("mse", (4 / 2 + 9 / 2 + 1 / 2) / 3),
        ("cosine", (0 + 2 + (1 - 1 / math.sqrt(2))) / 3),
    ],
)
def test_hidden_distance_is_a_mean_over_tokens_without_padding(kind, expected):
    distance = feature_distances.hidden(kind, STUDENT, TEACHER, MASK)
    assert distance.item() == pytest.approx(expected)


# One head. Row 1 attends to two tokens, row 2 to its first alone.
LOOKS = torch.tensor([[[[0.5, 0.5], [1.0, 0.0]]], [[[1.0, 0.0], [1.0, 0.0]]]])
OTHERS = torch.tensor([[[[1.0, 0.0], [1.0, 0.0]]], [[[1.0, 0.0], [0.0, 1.0]]]])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("mse", (0.25 + 0 + 0) / 3), ("cosine", (1 - 1 / math.sqrt(2) + 0 + 0) / 3)],
)
def test_attention_distance_is_a_mean_over_tokens_without_padding(kind, expected):
    distance = feature_distances.attention(kind, LOOKS, OTHERS, MASK)
    assert distance.item() == pytest.approx(expected)


def test_attention_distance_is_a_mean_over_heads_in_order():
    student, teacher = torch.cat([LOOKS, OTHERS], 1), torch.cat([OTHERS, OTHERS], 1)
    distance = feature_distances.attention("mse", student, teacher, MASK)
    assert distance.item() == pytest.approx((0.25 / 3 + 0) / 2)


def test_heads_of_different_number_are_averaged_before_they_are_compared():
    # the mean of the student's heads is (3/4, 1/4) where the teacher has (1, 0): mse 1/16
    student = torch.cat([LOOKS, OTHERS], 1)
    distance = feature_distances.attention("mse", student, OTHERS, MASK)
    assert distance.item() == pytest.approx((1 / 16 + 0 + 0) / 3)


def test_attention_paid_to_padding_does_not_count():
    leaking = OTHERS.clone()
    leaking[1, 0, 0] = torch.tensor([1.0, 0.7])
    distance = feature_distances.attention("mse", LOOKS, leaking, MASK)
    assert torch.equal(distance, feature_distances.attention("mse", LOOKS, OTHERS, MASK))


@pytest.mark.parametrize("kind", ["mse", "cosine"])
def test_longer_padding_changes_nothing(kind):
    pad = torch.nn.functional.pad
    wide = pad(MASK, (0, 3))
    torch.testing.assert_close(
        feature_distances.hidden(
            kind, pad(STUDENT, (0, 0, 0, 3), value=5.0), pad(TEACHER, (0, 0, 0, 3)), wide
        ),
        feature_distances.hidden(kind, STUDENT, TEACHER, MASK),
    )
    torch.testing.assert_close(
        feature_distances.attention(
            kind, pad(LOOKS, (0, 3, 0, 3), value=5.0), pad(OTHERS, (0, 3, 0, 3)), wide
        ),
        feature_distances.attention(kind, LOOKS, OTHERS, MASK),
    )


@pytest.mark.parametrize("kind", ["mse", "cosine"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_distances_are_summed_in_float32_and_survive_vectors_of_zeros(kind, dtype):
    """The square of 300 is not a float16."""
    student = torch.zeros(1, 2, 4, dtype=dtype, requires_grad=True)
    teacher = torch.tensor([[[300.0] * 4, [0.0] * 4]], dtype=dtype)
    distance = feature_distances.hidden(kind, student, teacher, torch.ones(1, 2))
    distance.backward()
    assert distance.item() == {"mse": 300.0**2 / 2, "cosine": 1.0}[kind]
    assert student.grad.isfinite().all()
