"""Masks have the law of torch's, exactly at the rate asked for, and hang on their words alone.

Run with: python -m pytest tests/pipeline/model/fast/test_dropout.py
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.model.fast import dropout
from pipeline.model.heads.base import Uniform
from pipeline.runtime.thread_pool import ThreadPool

RATES = [0.05, 0.1, 1 / 3, 0.5, 0.9]  # of these only 0.5 is a multiple of 1 / 65536


def kept(shape, rate, *words):
    with dropout.seeded(*words):
        return dropout.drop(torch.ones(shape), rate) != 0


def near(mean, expected, deviation, number):
    """Within four standard errors of the mean of `number` draws."""
    assert abs(mean - expected) < 4 * deviation / number**0.5


@pytest.mark.parametrize("rate", RATES)
def test_units_are_dropped_at_the_rate(rate):
    mask = torch.cat([kept((250, 400), rate, 1, draw).reshape(-1) for draw in range(20)])
    near(1 - mask.double().mean().item(), rate, (rate * (1 - rate)) ** 0.5, mask.numel())


@pytest.mark.parametrize("levels", [0.25, 1.5, 2.75])
def test_a_rate_between_two_levels_is_met_on_average(levels):
    """Half a level would be 1.5 or 2 times the rate here; masks of 16 bits cannot show it."""
    rate = levels / 2**16
    number, draws = 10_000, 1000
    generator = np.random.Generator(np.random.SFC64(3))
    dropped = sum(
        number - int(dropout.keep((number,), rate, generator).sum()) for _ in range(draws)
    )
    near(dropped / (number * draws), rate, (rate * (1 - rate)) ** 0.5, number * draws)


def test_a_rate_next_to_one_drops_all_but_a_few():
    rate, generator = 1 - 2**-18, np.random.Generator(np.random.SFC64(5))
    stayed = sum(int(dropout.keep((1000,), rate, generator).sum()) for _ in range(200))
    assert stayed < 10  # 0.76 are expected


@pytest.mark.parametrize("rate", RATES)
def test_neighbours_rows_and_draws_are_independent(rate):
    """Covariances are 0: between units 1 to 5 apart, rows, and masks drawn one after another."""
    with dropout.seeded(2, 3):
        first, second = (dropout.drop(torch.ones(500, 401), rate) != 0 for _ in range(2))
    first, second = (mask.double() - (1 - rate) for mask in (first, second))
    variance = rate * (1 - rate)
    pairs = [(first[:, :-lag], first[:, lag:]) for lag in range(1, 6)]
    pairs += [(first[:-1], first[1:]), (first, second)]
    for one, other in pairs:
        near((one * other).mean().item(), 0.0, variance, one.numel())


@pytest.mark.parametrize("rate", RATES)
def test_it_has_the_law_of_torchs(rate):
    """Mean and variance of what comes out, and that it is the values scaled, or 0."""
    values = torch.full((1000, 300), 3.0, dtype=torch.float64)
    torch.manual_seed(0)
    theirs = nn.Dropout(rate)(values)
    with dropout.seeded(4):
        ours = dropout.drop(values, rate)
    assert set(ours.unique().tolist()) == set(theirs.unique().tolist())
    deviation = 3 * (rate / (1 - rate)) ** 0.5
    for sample in (theirs, ours):
        near(sample.mean().item(), 3.0, deviation, sample.numel())
        assert sample.var().item() == pytest.approx(deviation**2, rel=0.02)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("contiguous", [True, False])
def test_the_gradient_goes_through_the_same_mask(dtype, contiguous):
    values = torch.rand(6, 5, 4, dtype=torch.float64).add_(0.5).to(dtype)
    values = values if contiguous else values.transpose(0, 2)
    values.requires_grad_()
    with dropout.seeded(6):
        output = dropout.drop(values, 0.5)
    upstream = torch.rand_like(output) + 0.5
    (gradient,) = torch.autograd.grad(output, values, upstream)
    mask = (output != 0).to(dtype)
    assert 0 < mask.sum() < mask.numel()
    assert output.dtype == gradient.dtype == dtype
    assert torch.equal(output, values * mask * 2)  # 1 / (1 - 0.5)
    assert torch.equal(gradient, upstream * mask * 2)


def test_a_gradient_that_is_one_number_for_all_is_taken():
    values = torch.ones(3, 4, requires_grad=True)
    with dropout.seeded(6):
        output = dropout.drop(values, 0.25)
    output.sum().backward()  # its gradient is expanded, not laid out
    assert torch.equal(values.grad, output.detach())


@pytest.mark.parametrize("shape", [(), (0, 3), (1,), (3,), (5, 7)])
def test_any_shape_will_do(shape):
    with dropout.seeded(1):
        assert dropout.drop(torch.ones(shape), 0.5).shape == shape


def test_the_same_words_give_the_same_masks_and_others_give_others():
    words = [(7, 0, 0, 0, 5), (8, 0, 0, 0, 5), (7, 1, 0, 0, 5), (7, 0, 1, 0, 5), (7, 0, 0, 1, 5)]
    masks = [kept((40, 40), 0.5, *some) for some in words]
    for mask, some in zip(masks, words, strict=True):
        assert torch.equal(mask, kept((40, 40), 0.5, *some))
    for one, other in itertools.combinations(masks, 2):
        near((one == other).double().mean().item(), 0.5, 0.5, 1600)


def test_blocks_may_stand_in_one_another():
    with dropout.seeded(1):
        kept((9,), 0.5, 2)
        inner = dropout.drop(torch.ones(64), 0.5)
    with dropout.seeded(1):
        assert torch.equal(inner, dropout.drop(torch.ones(64), 0.5))


def test_threads_do_not_share_the_source():
    alone = [kept((300, 300), 0.3, part) for part in range(8)]
    with dropout.seeded(99), ThreadPool(3) as workers:
        masks = workers.map(lambda part: kept((300, 300), 0.3, part), range(8))
        unseeded = workers.map(lambda _: dropout._source.generator, [1, 2])
    assert all(map(torch.equal, alone, masks))
    assert unseeded == [None, None]


def test_without_words_the_draws_are_torchs():
    torch.manual_seed(3)
    expected = nn.functional.dropout(torch.ones(50), 0.5)
    torch.manual_seed(3)
    assert torch.equal(dropout.drop(torch.ones(50), 0.5), expected)


def test_words_leave_torchs_numbers_alone():
    before = torch.get_rng_state()
    kept((50,), 0.5, 1)
    with dropout.seeded(1):
        dropout.Uniform()((3,), torch.device("cpu"))
    assert torch.equal(before, torch.get_rng_state())


def test_uniform_numbers_fill_the_unit_interval():
    with dropout.seeded(1):
        numbers = dropout.Uniform()((400, 500), torch.device("cpu"))
    assert numbers.dtype == torch.float32
    assert numbers.min() >= 0
    assert numbers.max() < 1
    near(numbers.double().mean().item(), 0.5, 12**-0.5, numbers.numel())


@pytest.mark.parametrize(("rate", "training"), [(0.0, True), (0.5, False)])
def test_nothing_is_done_in_eval_mode_or_at_rate_0(rate, training):
    values, module = torch.rand(9), dropout.Dropout(rate).train(training)
    with dropout.seeded(1):
        assert module(values) is values


class Own(nn.Dropout):
    """Someone's own kind."""


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.plain, self.own = nn.Dropout(0.3), Own(0.4)
        self.alias = self.plain
        self.stack = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.2))
        self.uniform = Uniform()


def test_within_the_block_every_plain_dropout_is_replaced_under_all_its_names():
    net = Net()
    before = list(net.named_modules(remove_duplicate=False))
    with dropout.replaced(net):
        kinds = {name: type(one) for name, one in net.named_modules(remove_duplicate=False)}
        assert [net.plain.p, net.alias.p, net.stack[1].p] == [0.3, 0.3, 0.2]
        assert list(kinds) == [name for name, _ in before]
    assert [kinds[name] for name in ("plain", "alias", "own", "stack.1", "uniform")] == [
        dropout.Dropout,
        dropout.Dropout,
        Own,
        dropout.Dropout,
        dropout.Uniform,
    ]
    after = list(net.named_modules(remove_duplicate=False))
    assert all(old[1] is new[1] for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize("inside", [True, False])
def test_modes_set_within_the_block_stay_and_others_are_as_they_were(inside):
    net = Net().train()
    net.stack[1].eval()  # one that is frozen on purpose
    with dropout.replaced(net):
        assert [net.plain.training, net.stack[1].training] == [True, False]
        if inside:
            net.eval()
    assert [net.plain.training, net.stack[1].training] == [not inside, False]


def test_an_error_in_the_block_restores_too():
    net = Net()
    with pytest.raises(ValueError, match="loss"), dropout.replaced(net):
        raise ValueError("loss")
    assert type(net.plain) is nn.Dropout
