"""Steps on pieces of the weights are steps on the weights, to the bit, on any number of threads.

Run with: python -m pytest tests/pipeline/learning/test_updates.py
"""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pipeline.learning import optimizers, updates
from pipeline.learning.gradients import Gradients
from pipeline.learning.updates import Updates
from pipeline.workers import Workers

STEPS = 4
KINDS = ["adamw", "adamax"]
PIECE = 64


def model():
    """Weights of several pieces, the last of them odd, beside some that are smaller than one."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Embedding(50, 7), nn.Linear(7, 40), nn.LayerNorm(40), nn.Linear(40, 3))


def gradients(network, step):
    """Of every weight; in every other step the last two have none."""
    torch.manual_seed(100 + step)
    found = [torch.randn_like(weight) for weight in network.parameters()]
    return [*found[:-2], None, None] if step % 2 else found


def run(settings, threads, steps=range(STEPS), network=None, state=None):
    """A network after some steps, and its updates."""
    network = network or model()
    weights = list(network.parameters())
    with Workers(threads) as workers:
        found = Updates(optimizers.groups(network, settings), weights, settings, "cpu", workers)
        if state is not None:
            found.restore(state)
        for step in steps:
            found.set_rate(settings.learning_rate * (step + 1) / STEPS)
            found.give(gradients(network, step))
            found.step(torch.amp.GradScaler("cpu", enabled=False))
    return network, found


def whole(settings):
    """The same steps by one optimizer on whole weights."""
    network = model()
    optimizer = optimizers.build(optimizers.groups(network, settings), settings, "cpu")
    for step in range(STEPS):
        optimizers.set_rate(optimizer, settings.learning_rate * (step + 1) / STEPS)
        for weight, gradient in zip(network.parameters(), gradients(network, step), strict=True):
            weight.grad = gradient
        optimizer.step()
    return network


def same(one, other):
    return all(map(torch.equal, one.state_dict().values(), other.state_dict().values()))


@pytest.fixture(params=KINDS)
def kind(request, settings, monkeypatch):
    """Settings of one kind of optimizer; pieces are small."""
    monkeypatch.setattr(updates, "PIECE", PIECE)
    return settings.model_copy(update={"optimizer": request.param, "weight_decay": 0.1})


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_pieces_are_whole_weights_to_the_bit(kind, threads):
    expected = whole(kind)
    found, held = run(kind, threads)
    assert same(found, expected)
    assert not same(found, model())
    assert len(held.optimizers) == threads


def test_pieces_of_the_real_size_too(settings):
    """A table of two pieces and a bit."""
    torch.manual_seed(1)
    start, gradient = torch.randn(2, updates.PIECE + 5), torch.randn(2, updates.PIECE + 5)
    found = []
    for size in (updates.PIECE, None):
        weight = nn.Parameter(start.clone())
        group = [optimizers.Group([weight], 1.0, True)]
        if size is None:
            optimizer = optimizers.build(group, settings, "cpu")
            weight.grad = gradient.clone()
            optimizer.step()
        else:
            with Workers(2) as workers:
                held = Updates(group, [weight], settings, "cpu", workers)
                held.set_rate(settings.learning_rate)
                held.give([gradient])
                held.step(torch.amp.GradScaler("cpu", enabled=False))
            assert [len(piece) for piece in held._pieces[weight]] == [size, size, 10]
        found.append(weight.detach())
    assert torch.equal(*found)


def test_every_number_is_in_one_piece_of_one_optimizer(kind):
    network, held = run(kind, 3, steps=())
    owned = [
        piece for one in held.optimizers for group in one.param_groups for piece in group["params"]
    ]
    places = [
        address
        for piece in owned
        for address in range(piece.data_ptr(), piece.data_ptr() + 4 * piece.numel(), 4)
    ]
    assert len(places) == len(set(places)) == sum(one.numel() for one in network.parameters())
    counts = [sum(len(g["params"]) for g in one.param_groups) for one in held.optimizers]
    assert max(counts) - min(counts) <= 1


def test_rates_and_decay_are_those_of_the_weights_groups(kind):
    network = model()
    weights = list(network.parameters())
    groups = [
        optimizers.Group([weights[0]], 0.5, True),
        optimizers.Group(weights[1:], 1.0, False),
    ]
    held = Updates(groups, weights, kind, "cpu", Workers(3))
    held.set_rate(0.2)
    found = {
        piece.data_ptr(): (group["lr"], group["weight_decay"])
        for one in held.optimizers
        for group in one.param_groups
        for piece in group["params"]
    }
    assert found[weights[0].data_ptr()] == (0.1, 0.1)
    assert found[weights[0].data_ptr() + 4 * PIECE] == (0.1, 0.1)
    assert found[weights[1].data_ptr()] == (0.2, 0.0)


@pytest.mark.parametrize(("before", "after"), [(1, 1), (2, 2), (1, 3), (3, 1)])
def test_a_run_goes_on_from_its_state_as_if_it_had_not_stopped(kind, before, after):
    """Also on another number of threads."""
    expected, _ = run(kind, 1)
    network, held = run(kind, before, steps=range(2))
    state = {name: value.clone() for name, value in held.state().items()}
    names = {name.split("/")[2] for name in state}
    assert names == {"step", "exp_avg", "exp_avg_sq" if kind.optimizer == "adamw" else "exp_inf"}
    network, held = run(kind, after, range(2, STEPS), network, state)
    assert same(network, expected)


def test_gradients_share_the_memory_of_those_given(kind):
    """So that what clips them need not know of pieces."""
    network = model()
    weights = list(network.parameters())
    held = Updates(optimizers.groups(network, kind), weights, kind, "cpu", Workers(1))
    sums = Gradients(weights, Workers(1))
    sums.add([[torch.randn_like(weight.t()).t() for weight in weights]])  # not laid out as weights
    held.give(sums.collect())
    sums.clip(1e-3)
    for weight in weights:
        pieces = held._pieces[weight]
        norm = torch.stack([piece.grad.norm() for piece in pieces]).norm()
        assert 0 < norm.item() <= 1e-3


@pytest.mark.parametrize("name", KINDS)
def test_a_weight_that_lies_the_other_way_round_is_not_cut(settings, monkeypatch, name):
    monkeypatch.setattr(updates, "PIECE", PIECE)
    settings = settings.model_copy(update={"optimizer": name})
    torch.manual_seed(3)
    start, gradient, found = torch.randn(20, 30), torch.randn(20, 30), []
    for weight in (nn.Parameter(start.clone()), nn.Parameter(start.t().contiguous().t())):
        sums = Gradients([weight], Workers(1))
        sums.add([[gradient.clone()]])
        held = Updates(
            [optimizers.Group([weight], 1.0, True)], [weight], settings, "cpu", Workers(1)
        )
        held.set_rate(0.1)
        held.give(sums.collect())
        held.step(torch.amp.GradScaler("cpu", enabled=False))
        found.append(weight.detach())
    torch.testing.assert_close(*found, rtol=1e-6, atol=1e-7)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_there_is_one_optimizer_of_whole_weights(kind):
    network = model().cuda()
    weights = list(network.parameters())
    groups = optimizers.groups(network, kind)
    (only,) = Updates(groups, weights, kind, "cuda", Workers(1)).optimizers
    assert sum(len(group["params"]) for group in only.param_groups) == len(weights)
