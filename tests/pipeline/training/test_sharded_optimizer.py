"""Steps are those of one optimizer, to the bit, on any number of threads.

Run with: python -m pytest tests/pipeline/training/test_sharded_optimizer.py
"""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pipeline.runtime.thread_pool import ThreadPool
from pipeline.training import optimizers
from pipeline.training.sharded_optimizer import Updates

STEPS = 4
KINDS = ["adamw", "adamax"]


def model():
    """Weights of 350, 280, 40, 40, 40, 120 and 3 numbers."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Embedding(50, 7), nn.Linear(7, 40), nn.LayerNorm(40), nn.Linear(40, 3))


def gradients(network, step):
    """Of every weight; in every other step the last two have none."""
    torch.manual_seed(100 + step)
    values = [torch.randn_like(weight) for weight in network.parameters()]
    return [*values[:-2], None, None] if step % 2 else values


def run(settings, threads, steps=range(STEPS), network=None, state=None):
    """A network after some steps, and its updates."""
    network = network or model()
    weights = list(network.parameters())
    with ThreadPool(threads) as workers:
        updates = Updates(optimizers.groups(network, settings), weights, settings, "cpu", workers)
        if state is not None:
            updates.restore(state)
        for step in steps:
            updates.set_rate(settings.learning_rate * (step + 1) / STEPS)
            updates.set_gradients(gradients(network, step))
            updates.step(torch.amp.GradScaler("cpu", enabled=False))
    return network, updates


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
def kind(request, settings):
    """Settings of one kind of optimizer."""
    return settings.model_copy(update={"optimizer": request.param, "weight_decay": 0.1})


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_steps_are_those_of_one_optimizer_to_the_bit(kind, threads):
    expected = whole(kind)
    network, dealt = run(kind, threads)
    assert same(network, expected)
    assert not same(network, model())
    assert len(dealt.optimizers) == threads


SIZES = [  # by hand: the largest first, each to whom has least so far
    (1, [[350, 280, 120, 40, 40, 40, 3]]),
    (2, [[350, 40, 40, 3], [280, 120, 40]]),
    (3, [[350], [280], [120, 40, 40, 40, 3]]),
    (9, [[350], [280], [120], [40], [40], [40], [3]]),
]


@pytest.mark.parametrize(("threads", "expected"), SIZES)
def test_whole_weights_are_dealt_out_by_size(kind, threads, expected):
    _, dealt = run(kind, threads, steps=())
    sizes = [
        [weight.numel() for group in one.param_groups for weight in group["params"]]
        for one in dealt.optimizers
    ]
    assert [sorted(one, reverse=True) for one in sizes] == expected


def test_rates_and_decay_are_those_of_the_weights_groups(kind):
    weights = list(model().parameters())
    groups = [
        optimizers.Group(weights[:2], 0.5, True),
        optimizers.Group(weights[2:], 1.0, False),
    ]
    dealt = Updates(groups, weights, kind, "cpu", ThreadPool(3))
    dealt.set_rate(0.2)
    rates = {
        weight: (group["lr"], group["weight_decay"])
        for one in dealt.optimizers
        for group in one.param_groups
        for weight in group["params"]
    }
    assert [rates[weight] for weight in weights] == [(0.1, 0.1)] * 2 + [(0.2, 0.0)] * 5


@pytest.mark.parametrize("threads", [2, 3])
def test_the_state_does_not_depend_on_threads(kind, threads):
    expected, state = (run(kind, number)[1].state() for number in (1, threads))
    assert list(state) == list(expected)
    assert all(torch.equal(state[name], expected[name]) for name in expected)


@pytest.mark.parametrize(("before", "after"), [(1, 1), (2, 2), (1, 3), (3, 1)])
def test_a_run_goes_on_from_its_state_as_if_it_had_not_stopped(kind, before, after):
    """Also on another number of threads."""
    expected, _ = run(kind, 1)
    network, updates = run(kind, before, steps=range(2))
    state = {name: value.clone() for name, value in updates.state().items()}
    names = {name.split("/")[1] for name in state}
    assert names == {"step", "exp_avg", "exp_avg_sq" if kind.optimizer == "adamw" else "exp_inf"}
    network, updates = run(kind, after, range(2, STEPS), network, state)
    assert same(network, expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_there_is_one_optimizer_of_whole_weights(kind):
    network = model().cuda()
    weights = list(network.parameters())
    groups = optimizers.groups(network, kind)
    (only,) = Updates(groups, weights, kind, "cuda", ThreadPool(1)).optimizers
    assert sum(len(group["params"]) for group in only.param_groups) == len(weights)
