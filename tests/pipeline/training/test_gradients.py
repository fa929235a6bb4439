"""Shards are summed in a tree; sums and clipping are otherwise torch's.

Run with: python -m pytest tests/pipeline/training/test_gradients.py
"""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pipeline.runtime.thread_pool import ThreadPool
from pipeline.training.gradients import Gradients, tree_sum


def parameters(*shapes, dtype=torch.float32):
    return [nn.Parameter(torch.zeros(shape, dtype=dtype)) for shape in shapes]


def ones(*sizes):
    return [torch.full((2,), float(size)) for size in sizes]


def test_sums_and_norm_worked_by_hand():
    """Sums (3, 3) and (4, 4), norm sqrt(18 + 32); a weight without gradients has none."""
    gradients = Gradients(parameters(2, 2, 2), ThreadPool(1))
    gradients.add([[*ones(1), None, None], [*ones(2, 3), None]])
    gradients.add([[None, *ones(1), None]])
    assert [None if one is None else one.tolist() for one in gradients.collect()] == [
        [3.0, 3.0],
        [4.0, 4.0],
        None,
    ]
    assert gradients.clip(1.0).item() == pytest.approx(50**0.5)
    first, second, third = gradients.collect()
    assert first.tolist() == pytest.approx([3 / 50**0.5] * 2, rel=1e-5)
    assert second.tolist() == pytest.approx([4 / 50**0.5] * 2, rel=1e-5)
    assert third is None


def test_a_norm_below_the_limit_changes_nothing():
    gradients = Gradients(parameters(2), ThreadPool(1))
    gradients.add([ones(0.25)])
    gradients.clip(1.0)
    assert gradients.collect()[0].tolist() == [0.25, 0.25]


@pytest.mark.parametrize("most", [1e-3, 1.0, 1e3])
def test_clipping_is_torchs_to_the_bit(most):
    torch.manual_seed(0)
    weights, parts = parameters((5, 7), 3, (2, 2, 2)), []
    for _ in range(3):
        parts.append([torch.randn_like(weight) for weight in weights])
    for weight, *some in zip(weights, *parts, strict=True):
        weight.grad = (some[0] + some[1]) + some[2]
    norm = torch.nn.utils.clip_grad_norm_(weights, most)
    gradients = Gradients(weights, ThreadPool(1))
    gradients.add(parts)
    collected = gradients.collect()
    assert torch.equal(gradients.clip(most), norm)
    assert all(torch.equal(one.grad, other) for one, other in zip(weights, collected, strict=True))


E = 2.0**-24  # half of the last bit of 1 in float32: 1 + E is 1
TREES = [  # the sum from left to right is 1 in all of them
    (2, 1.0),
    (3, 1.0),  # (1 + E) + E
    (4, 1 + 2 * E),  # (1 + E) + (E + E)
    (5, 1 + 4 * E),  # ((1 + E) + 2 E) + E = 1 + 3 E, which is rounded to even
    (8, 1 + 6 * E),  # ((1 + E) + 2 E) + (2 E + 2 E)
]


@pytest.mark.parametrize(("shards", "expected"), TREES)
@pytest.mark.parametrize("threads", [1, 2])
def test_shards_are_summed_in_a_tree(shards, expected, threads):
    parts = [[torch.tensor([size])] * 3 for size in (1.0, *[E] * (shards - 1))]
    assert sum(part[0] for part in parts).item() == 1.0
    with ThreadPool(threads) as workers:
        sums = Gradients(parameters(1, 1, 1), workers)
        sums.add(parts)
        assert [one.item() for one in sums.collect()] == [expected] * 3


def test_batches_are_summed_in_their_order():
    """(1 + E) + (E + E) for batches of two shards; from left to right it would be 1."""
    sums = Gradients(parameters(1), ThreadPool(1))
    sums.add([[torch.tensor([1.0])], [torch.tensor([E])]])
    sums.add([[torch.tensor([E])], [torch.tensor([E])]])
    assert sums.collect()[0].item() == 1 + 2 * E
    sums.add([[torch.tensor([E])]])
    sums.add([[torch.tensor([E])]])  # 1 + 3 E is rounded to 1 + 4 E, and 1 + 5 E to 1 + 4 E
    assert sums.collect()[0].item() == 1 + 4 * E


def test_a_shard_without_a_gradient_keeps_its_place():
    """(1 + nothing) + (E + E), and not (1 + E) + E."""
    one, half = torch.tensor([1.0]), torch.tensor([E])
    assert tree_sum([one, None, half, half]).item() == 1 + 2 * E
    assert tree_sum([None, one]).item() == 1.0
    assert tree_sum([None, None, None]) is None


@pytest.mark.parametrize(("number", "size"), [(8, 2), (8, 4), (6, 2), (7, 4), (5, 4)])
def test_aligned_subtrees_may_be_summed_apart(number, size):
    torch.manual_seed(0)
    parts = [torch.randn(100) for _ in range(number)]
    apart = [tree_sum(parts[at : at + size]) for at in range(0, number, size)]
    assert torch.equal(tree_sum(apart), tree_sum(parts))


def test_sums_are_the_same_to_the_bit_on_any_number_of_threads():
    torch.manual_seed(0)
    weights = parameters(*[(9, 9)] * 7)
    parts = [[torch.randn(9, 9) for _ in weights] for _ in range(5)]
    sums = []
    for threads in (1, 2, 3, 9):
        with ThreadPool(threads) as workers:
            gradients = Gradients(weights, workers)
            gradients.add(parts)
            sums.append(torch.stack(gradients.collect()))
    assert all(torch.equal(sums[0], one) for one in sums[1:])


def test_one_tensor_for_two_weights_is_scaled_once():
    """The gradients of a and b in a + b are the same tensor."""
    weights = parameters(4, 4)
    given = torch.autograd.grad((weights[0] + weights[1]) @ torch.arange(4.0), weights)
    assert given[0].data_ptr() == given[1].data_ptr()
    gradients = Gradients(weights, ThreadPool(1))
    gradients.add([given])
    gradients.collect()
    norm = 28**0.5  # twice 0 + 1 + 4 + 9
    assert gradients.clip(norm / 2).item() == pytest.approx(norm)
    for one in gradients.collect():
        assert one.tolist() == pytest.approx([0, 0.5, 1, 1.5], rel=1e-5)


def test_one_number_for_a_whole_weight_can_be_clipped():
    """The gradient of a sum is one number, viewed as many."""
    weights = parameters((2, 2))
    gradients = Gradients(weights, ThreadPool(1))
    gradients.add([torch.autograd.grad(weights[0].sum(), weights)])
    (collected,) = gradients.collect()
    assert gradients.clip(1.0).item() == pytest.approx(2.0)
    assert collected.flatten().tolist() == pytest.approx([0.5] * 4, rel=1e-5)


def test_gradients_lie_as_their_weights_do():
    """Optimizers walk through the memory of both side by side."""
    weights = [
        nn.Parameter(torch.zeros(3, 2)),
        nn.Parameter(torch.zeros(2, 3).t()),
        nn.Parameter(torch.zeros(2, 3).t()),
    ]
    values = torch.arange(6.0).view(2, 3).t()
    given = [values, values.contiguous(), values]
    gradients = Gradients(weights, ThreadPool(1))
    gradients.add([given])
    for weight, one in zip(weights, gradients.collect(), strict=True):
        assert one.stride() == weight.stride()
        assert torch.equal(one, values)
