"""Sums and clipping are torch's, also of embeddings of which only touched rows are kept.

Run with: python -m pytest tests/pipeline/learning/test_gradients.py
"""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pipeline.learning import gradients
from pipeline.learning.gradients import Gradients
from pipeline.workers import Workers

ROWS = gradients.LARGE_TABLE


def parameters(*shapes, dtype=torch.float32):
    return [nn.Parameter(torch.zeros(shape, dtype=dtype)) for shape in shapes]


def ones(*sizes):
    return [torch.full((2,), float(size)) for size in sizes]


def test_sums_and_norm_worked_by_hand():
    """Sums (3, 3) and (4, 4), norm sqrt(18 + 32); a weight without gradients has none."""
    found = Gradients(parameters(2, 2, 2), Workers(1))
    found.add([[*ones(1), None, None], [*ones(2, 3), None]])
    found.add([[None, *ones(1), None]])
    assert [None if one is None else one.tolist() for one in found.collect()] == [
        [3.0, 3.0],
        [4.0, 4.0],
        None,
    ]
    assert found.clip(1.0).item() == pytest.approx(50**0.5)
    first, second, third = found.collect()
    assert first.tolist() == pytest.approx([3 / 50**0.5] * 2, rel=1e-5)
    assert second.tolist() == pytest.approx([4 / 50**0.5] * 2, rel=1e-5)
    assert third is None


def test_a_norm_below_the_limit_changes_nothing():
    found = Gradients(parameters(2), Workers(1))
    found.add([ones(0.25)])
    found.clip(1.0)
    assert found.collect()[0].tolist() == [0.25, 0.25]


@pytest.mark.parametrize("most", [1e-3, 1.0, 1e3])
def test_clipping_is_torchs_to_the_bit(most):
    torch.manual_seed(0)
    weights, parts = parameters((5, 7), 3, (2, 2, 2)), []
    for _ in range(3):
        parts.append([torch.randn_like(weight) for weight in weights])
    for weight, *some in zip(weights, *parts, strict=True):
        weight.grad = some[0] + some[1] + some[2]
    norm = torch.nn.utils.clip_grad_norm_(weights, most)
    found = Gradients(weights, Workers(1))
    found.add(parts)
    collected = found.collect()
    assert torch.equal(found.clip(most), norm)
    assert all(torch.equal(one.grad, other) for one, other in zip(weights, collected, strict=True))


def test_sums_are_the_same_to_the_bit_on_any_number_of_threads():
    torch.manual_seed(0)
    weights = parameters(*[(9, 9)] * 7)
    parts = [[torch.randn(9, 9) for _ in weights] for _ in range(5)]
    sums = []
    for threads in (1, 2, 3, 9):
        with Workers(threads) as workers:
            found = Gradients(weights, workers)
            found.add(parts)
            sums.append(torch.stack(found.collect()))
    assert all(torch.equal(sums[0], one) for one in sums[1:])


class Tied(nn.Module):
    """A large table, its padding row, and a matrix that may be the same table."""

    def __init__(self, tied=False, width=3):
        super().__init__()
        torch.manual_seed(2)
        self.table = nn.Embedding(ROWS, width, padding_idx=0, dtype=torch.float64)
        self.small = nn.Embedding(ROWS - 1, width, dtype=torch.float64)
        self.tied = tied

    def forward(self, ids):
        vectors = self.table(ids) * self.small(ids).detach()
        return vectors.square().sum() + (self.table.weight.pow(3).sum() if self.tied else 0)


BATCHES = ([[5, 6, 5], [0, 5, 9]], [[9, 9, 1]], [[0, 0, 0]])  # duplicates, and nothing but padding


def taken(model, by_rows, batches=BATCHES, scale=None, most=0.5):
    """Collected, clipped gradients of the table, and the norm before."""
    weights = [model.table.weight]
    found = Gradients(weights, Workers(1))
    for ids in batches:
        if by_rows:
            with gradients.by_rows(model):
                loss = model(torch.tensor(ids))
        else:
            loss = model(torch.tensor(ids))
        found.add([torch.autograd.grad(loss * (scale or 1.0), weights)])
    collected = found.collect()
    if scale:
        collected[0].div_(scale)
    return found, found.clip(most), collected[0]


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("scale", [None, 2.0**16], ids=["plain", "scaled as for float16"])
def test_a_table_by_rows_is_the_dense_one(tied, scale):
    """Also where the scaler divides what was collected before it is clipped."""
    model = Tied(tied)
    _, expected_norm, expected = taken(model, by_rows=False)
    _, norm, found = taken(model, True, scale=scale)
    assert found.is_contiguous()
    torch.testing.assert_close(norm, expected_norm, rtol=1e-12, atol=0)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-300)
    assert found.norm().item() == pytest.approx(0.5, rel=1e-5)


def test_rows_that_no_batch_touched_and_the_padding_row_stay_zero():
    _, _, found = taken(Tied(), True)
    assert found.any(1).nonzero().flatten().tolist() == [1, 5, 6, 9]


def test_after_clearing_the_rows_are_zero_again():
    model = Tied()
    found, _, first = taken(model, True)
    found.clear()
    assert not first.any()
    with gradients.by_rows(model):
        loss = model(torch.tensor([[7]]))
    found.add([torch.autograd.grad(loss, [model.table.weight])])
    (again,) = found.collect()
    assert again.data_ptr() == first.data_ptr()  # the table is kept
    assert again.any(1).nonzero().flatten().tolist() == [7]


def test_only_large_tables_are_by_rows_and_only_within_the_block():
    model = Tied()
    own = nn.Embedding(ROWS, 2, sparse=True)
    model.own = own
    with gradients.by_rows(model):
        assert (model.table.sparse, model.small.sparse, own.sparse) == (True, False, True)
    assert (model.table.sparse, model.small.sparse, own.sparse) == (False, False, True)
    with pytest.raises(ValueError, match="loss"), gradients.by_rows(model):
        raise ValueError("loss")
    assert not model.table.sparse


def test_one_tensor_for_two_weights_is_scaled_once():
    """The gradients of a and b in a + b are the same tensor."""
    weights = parameters(4, 4)
    given = torch.autograd.grad((weights[0] + weights[1]) @ torch.arange(4.0), weights)
    assert given[0].data_ptr() == given[1].data_ptr()
    found = Gradients(weights, Workers(1))
    found.add([given])
    found.collect()
    norm = 28**0.5  # twice 0 + 1 + 4 + 9
    assert found.clip(norm / 2).item() == pytest.approx(norm)
    for one in found.collect():
        assert one.tolist() == pytest.approx([0, 0.5, 1, 1.5], rel=1e-5)


def test_one_number_for_a_whole_weight_can_be_clipped():
    """The gradient of a sum is one number, viewed as many."""
    weights = parameters((2, 2))
    found = Gradients(weights, Workers(1))
    found.add([torch.autograd.grad(weights[0].sum(), weights)])
    (collected,) = found.collect()
    assert found.clip(1.0).item() == pytest.approx(2.0)
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
    found = Gradients(weights, Workers(1))
    found.add([given])
    for weight, one in zip(weights, found.collect(), strict=True):
        assert one.stride() == weight.stride()
        assert torch.equal(one, values)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_tables_are_dense():
    model = Tied().cuda()
    with gradients.by_rows(model):
        assert not model.table.sparse
