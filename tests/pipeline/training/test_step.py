"""A step: its bytes on any threads, its precision, batches that make it, what is trained along.

Run with: python -m pytest tests/pipeline/training/test_step.py
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pipeline.training import step

pytestmark = pytest.mark.medium

UNEVEN = [("aaaa", "bb", 0), ("cc", "dddd", 1)] * 7  # 14 rows: batches of 3, 3, 3, 3 and 2


@pytest.mark.parametrize("optimizer", ["adamw", "adamax"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_all_weights_are_the_same_bytes_on_any_number_of_threads(bench, optimizer, precision):
    """Two shards a batch."""
    runs, logs = [], []
    for threads in (1, 2, 1, 2):
        bench.build(dropout=0.1, tasks=("rte", "stsb"))
        bench.on(threads=threads, shards=2, precision=precision)
        sets = {task: bench.rows(task) for task in ("rte", "stsb")}
        logs.append(bench.train(sets, optimizer=optimizer, accumulation=2))
        weights = bench.model.state_dict()
        runs.append({name: weight.numpy().tobytes() for name, weight in weights.items()})
    for log, weights in zip(logs[1:], runs[1:], strict=True):
        assert log == logs[0]
        assert weights == runs[0]


@pytest.mark.parametrize("optimizer", ["adamw", "adamax"])
def test_float16_steps_are_those_of_float32(bench, monkeypatch, optimizer):
    """What the scaler multiplies it divides; Adam would hide a factor."""
    norms = []

    class Spy(step.Gradients):
        def clip(self, most):
            norms.append(super().clip(most).item())
            assert all(one is None or one.norm() <= most * 1.001 for one in self.collect())
            return norms[-1]

    monkeypatch.setattr(step, "Gradients", Spy)
    losses = []
    for precision in ("float32", "float16"):
        bench.build(dropout=0.0)
        bench.on(threads=2, shards=2, precision=precision)
        log = bench.train({"rte": bench.rows()}, optimizer=optimizer, clip_norm=0.1)
        losses.append([float(row["loss"]) for row in log])
    assert losses[1] == pytest.approx(losses[0], abs=2e-3)
    wide, narrow = norms[:8], norms[8:]
    assert narrow == pytest.approx(wide, rel=0.02)
    assert min(wide) > 0.1


def test_accumulated_batches_are_one_large_batch(bench):
    """Gradients are averaged over rows: the last batch has two, the others have three."""
    weights = []
    for batch_size, accumulation in ((14, 1), (3, 5)):
        # Double precision: Adam turns the noise of weights without a gradient into whole steps.
        bench.build(dropout=0.0).double()
        changes = {"batch_size": batch_size, "accumulation": accumulation, "epochs": 6}
        log = bench.train({"rte": bench.rows(examples=UNEVEN)}, learning_rate=1e-2, **changes)
        assert len(log) == 6
        weights.append(([float(row["loss"]) for row in log], bench.model.state_dict()))
    (one, large), (many, small) = weights
    assert many == pytest.approx(one, abs=2e-6)
    for name, weight in large.items():
        assert torch.allclose(weight, small[name], rtol=0, atol=1e-6), name


def test_the_schedule_counts_steps_of_the_optimizer(fit):
    _, log = fit(epochs=3, accumulation=3, warmup=0.0, learning_rate=0.6)
    # four batches are a group of three and one of one, so two steps an epoch and six in all
    assert [float(row["learning_rate"]) for row in log] == pytest.approx(
        [0.6, 0.5, 0.4, 0.3, 0.2, 0.1]
    )


def test_progress_is_the_share_of_steps_done(fit, monkeypatch):
    """What anneals the hard weight; both batches of a step have the same."""
    shares = []

    class Spy(step.Objective):
        def loss(self, task, rows, batch, own, progress, wrong):
            shares.append(progress)
            return super().loss(task, rows, batch, own, progress, wrong)

    monkeypatch.setattr(step, "Objective", Spy)
    fit(epochs=2, accumulation=2)
    assert shares == [0.0, 0.0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75]


def test_lower_layers_move_less_with_layer_decay(bench):
    """The first step of AdamW without decay moves every weight by its rate."""
    bench.build(dropout=0.0)
    before = {name: weight.clone() for name, weight in bench.model.state_dict().items()}
    changes = {"epochs": 1, "batch_size": 16, "warmup": 0.0, "weight_decay": 0.0}
    bench.train({"rte": bench.rows()}, learning_rate=0.01, layer_decay=0.5, **changes)
    after = bench.model.state_dict()
    largest = {name: float((after[name] - before[name]).abs().max()) for name in before}
    for name, factor in (
        ("encoder.embeddings.word_embeddings.weight", 1 / 8),
        ("encoder.encoder.layer.0.output.dense.weight", 1 / 4),
        ("encoder.encoder.layer.1.output.dense.weight", 1 / 2),
        ("heads.head_rte.linear.weight", 1.0),
    ):
        assert largest[name] == pytest.approx(0.01 * factor, rel=0.05)


def test_the_factor_of_a_task_is_on_its_loss(fit):
    plain, weighted = (fit(given={"task_weights": w})[1] for w in ({}, {"rte": 3.0}))
    assert float(weighted[0]["loss"]) == pytest.approx(3 * float(plain[0]["loss"]), rel=1e-5)


@pytest.mark.parametrize("factor", [0.25, 1.0, 4.0])
def test_the_factor_of_a_task_reaches_the_optimizer_though_gradients_are_clipped(
    bench, monkeypatch, factor
):
    norms = []

    class Spy(step.Gradients):
        def clip(self, most):
            before = super().clip(most)
            gradients = [one for one in self.collect() if one is not None]
            norms.append(torch.nn.utils.get_total_norm(gradients).item())
            return before

    monkeypatch.setattr(step, "Gradients", Spy)
    bench.build(dropout=0.0)
    bench.train({"rte": bench.rows()}, clip_norm=0.01, given={"task_weights": {"rte": factor}})
    assert norms
    assert norms == pytest.approx([0.01 * factor] * len(norms), rel=1e-3)


class Matcher(torch.nn.Module):
    """Stands for inner states of a teacher."""

    tasks, attentions = frozenset({"rte"}), False

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))

    def loss(self, task, inputs, hidden, attentions):
        return self.scale * hidden[-1].square().mean()


def test_weights_of_the_matcher_are_trained_along(fit):
    feature_loss = Matcher()
    first = fit(given={"feature_loss": feature_loss})[1][0]
    assert feature_loss.scale.item() != 1.0
    assert float(first["loss"]) > float(fit()[1][0]["loss"]) + 0.5


def test_wrong_answers_are_drawn_anew_for_every_batch(bench):
    numbers = []

    class Negatives:
        def draw(self, rows, random):
            numbers.append(random.integers(2**62))
            return np.empty(0, np.int64), {}

    bench.build()
    bench.train({"rte": bench.rows(extra_pairs=Negatives())}, accumulation=2)
    assert len(numbers) == len(set(numbers)) == 8
