"""The loop learns, logs every step, repeats itself to the bit and stops on a bad loss.

Run with: python -m pytest tests/pipeline/learning/test_training.py
"""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch

from pipeline import labelling, machine
from pipeline.errors import TrainingError
from pipeline.learning import (
    batching,
    early_stopping,
    gradients,
    loop,
    losses,
    optimizers,
    training,
    updates,
)
from pipeline.learning.loop import prepared
from pipeline.models import dropout, encoders, tokens
from pipeline.models.model import MultiTaskModel
from pipeline.params.sampling import WeightedSampling
from pipeline.params.sections import Distillation, EarlyStopping
from pipeline.tasks import GLUE

EXAMPLES = [("aaaa", "bb", 0), ("cc", "dddd", 1)] * 8
UNEVEN = [("aaaa", "bb", 0), ("cc", "dddd", 1)] * 7  # 14 rows: batches of 3, 3, 3, 3 and 2


class Bench:
    """Tiny models, all alike, and rows to train them on."""

    def __init__(self, tmp_path, tiny, head, settings, hardware, make):
        self.log, self.tiny, self.head, self.settings = tmp_path / "log.csv", tiny, head, settings
        self.hardware, self.make = hardware, make
        self.model = self.packed = None

    def build(self, dropout=0.1, seed=0, tasks=("rte",)):
        encoder, self.tokenizer = encoders.load(self.tiny, dropout)
        torch.manual_seed(seed)
        heads = dict.fromkeys(tasks, self.head)
        self.model = MultiTaskModel(encoder, {task: GLUE[task] for task in tasks}, heads)
        return self.model

    def rows(self, task="rte", examples=EXAMPLES, **given):
        rows = self.make(task, "train", examples)
        self.packed = tokens.tokenise(rows.table, self.tokenizer, 32)
        return training.TrainingSet(self.packed, rows.labels, **given)

    def train(self, sets, seed=0, given=None, **changes):
        run = training.Run(
            "teach", self.settings.model_copy(update=changes), seed, self.log, **(given or {})
        )
        training.train(self.model, sets, run, machine.set_up(self.hardware))
        with self.log.open() as file:
            return list(csv.DictReader(file))

    def on(self, **changes):
        self.hardware = self.hardware.model_copy(update=changes)

    def logits(self):
        return labelling.logits(
            self.model, "rte", self.packed, machine.set_up(self.hardware), "score"
        )


@pytest.fixture
def bench(tmp_path, tiny, head, settings, hardware, make):
    """Tiny models and their rows."""
    return Bench(tmp_path, tiny, head, settings, hardware, make)


@pytest.fixture
def fit(bench):
    """Train a tiny model on RTE; give its logits and its log."""

    def run(seed=0, targets=None, given=None, **changes):
        bench.build(seed=seed)
        log = bench.train({"rte": bench.rows(targets=targets)}, seed, given, **changes)
        return bench.logits(), log

    return run


def test_it_learns_a_separable_task(fit):
    logits, log = fit(epochs=12, learning_rate=1e-2)
    assert (logits.argmax(1) == np.array([0, 1] * 8)).all()
    assert float(log[-1]["loss"]) < 0.1 < float(log[0]["loss"])


def test_every_step_is_logged(fit):
    _, log = fit(epochs=3)
    assert [int(row["step"]) for row in log] == list(range(12))
    assert [int(row["epoch"]) for row in log] == [0] * 4 + [1] * 4 + [2] * 4
    assert {row["task"] for row in log} == {"rte"}
    assert float(log[1]["learning_rate"]) == pytest.approx(1e-3 * 2 / 2.2)


def test_same_seed_same_bits_other_seed_other_bits(fit):
    first, again, other = fit(seed=1)[0], fit(seed=1)[0], fit(seed=2)[0]
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


@pytest.mark.parametrize("optimizer", ["adamw", "adamax"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_all_weights_are_the_same_bytes_on_any_number_of_threads(
    bench, monkeypatch, optimizer, precision
):
    """Two shards a batch; tables by rows and weights in pieces, though all are small here."""
    monkeypatch.setattr(gradients, "LARGE_TABLE", 64)
    monkeypatch.setattr(updates, "PIECE", 100)
    found, logs = [], []
    for threads in (1, 2, 1, 2):
        bench.build(dropout=0.1, tasks=("rte", "stsb"))
        bench.on(threads=threads, shards=2, precision=precision)
        sets = {task: bench.rows(task) for task in ("rte", "stsb")}
        logs.append(bench.train(sets, optimizer=optimizer, accumulation=2))
        weights = bench.model.state_dict()
        found.append({name: weight.numpy().tobytes() for name, weight in weights.items()})
    for log, weights in zip(logs[1:], found[1:], strict=True):
        assert log == logs[0]
        assert weights == found[0]


@pytest.mark.parametrize("optimizer", ["adamw", "adamax"])
def test_float16_steps_are_those_of_float32(bench, monkeypatch, optimizer):
    """What the scaler multiplies it divides, of tables by rows too; Adam would hide a factor."""
    norms = []

    class Spy(loop.Gradients):
        def clip(self, most):
            norms.append(super().clip(most).item())
            assert all(one is None or one.norm() <= most * 1.001 for one in self.collect())
            return norms[-1]

    monkeypatch.setattr(loop, "Gradients", Spy)
    monkeypatch.setattr(gradients, "LARGE_TABLE", 64)
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


def test_default_settings_are_the_plain_loop_to_the_bit(bench):
    """Nothing of accumulation, sampling, layer decay or early stopping is left in the numbers."""
    model, rows = bench.build(), bench.rows()
    groups = optimizers.groups(model, bench.settings)
    optimizer = optimizers.build(groups, bench.settings, "cpu")
    number = 0
    for epoch in range(2):
        packed = batching.pack(rows.tokens.lengths, 4, np.random.default_rng([5, epoch, 0]))
        for place in np.random.default_rng([5, epoch, 1]).permutation(len(packed)):
            for group in optimizer.param_groups:
                group["lr"] = optimizers.rate(number, 8, bench.settings)
            batch = rows.tokens.batch(packed[place])
            with dropout.seeded(5, number, 0, 0, 5), prepared(model):
                logits = model.train()("rte", {k: torch.from_numpy(v) for k, v in batch.items()})
            labels = torch.from_numpy(rows.labels[packed[place]])
            losses.combined(logits, labels, None, None, None, 0.0).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            number += 1
    expected = {name: weight.clone() for name, weight in model.state_dict().items()}
    bench.build()
    bench.train({"rte": rows}, seed=5)
    for name, weight in bench.model.state_dict().items():
        assert torch.equal(weight, expected[name]), name


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
    seen = []

    class Spy(loop.Objective):
        def loss(self, task, rows, batch, own, progress, wrong):
            seen.append(progress)
            return super().loss(task, rows, batch, own, progress, wrong)

    monkeypatch.setattr(loop, "Objective", Spy)
    fit(epochs=2, accumulation=2)
    assert seen == [0.0, 0.0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75]


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


def test_tasks_are_drawn_by_their_weights(bench):
    bench.build(tasks=("rte", "stsb"))
    sets = {task: bench.rows(task) for task in ("rte", "stsb")}
    sampling = WeightedSampling(kind="weights", weights={"rte": 1e-9, "stsb": 1.0})
    log = bench.train(sets, given={"sampling": sampling})
    assert [row["task"] for row in log] == ["stsb"] * 16  # as many steps as merged has


def test_the_factor_of_a_task_is_on_its_loss(fit):
    plain, weighted = (fit(given={"task_weights": w})[1] for w in ({}, {"rte": 3.0}))
    assert float(weighted[0]["loss"]) == pytest.approx(3 * float(plain[0]["loss"]), rel=1e-5)


class Matcher(torch.nn.Module):
    """Stands for inner states of a teacher."""

    tasks, attentions = frozenset({"rte"}), False

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))

    def loss(self, task, inputs, hidden, attentions):
        return self.scale * hidden[-1].square().mean()


def test_weights_of_the_matcher_are_trained_along(fit):
    matcher = Matcher()
    first = fit(given={"matcher": matcher})[1][0]
    assert matcher.scale.item() != 1.0
    assert float(first["loss"]) > float(fit()[1][0]["loss"]) + 0.5


def test_rows_held_out_are_in_no_batch_and_all_others_are(bench, monkeypatch):
    seen = []

    class Spy(loop.Objective):
        def loss(self, task, rows, batch, own, progress, wrong):
            seen.extend(batch.tolist())
            return super().loss(task, rows, batch, own, progress, wrong)

    monkeypatch.setattr(loop, "Objective", Spy)
    stopping = EarlyStopping(share=0.25, patience=9)
    known = np.arange(16) < 12
    bench.build()
    rows = bench.rows(known=known, targets=np.full((16, 2), 0.5, np.float32))
    bench.train({"rte": rows}, 3, {"distillation": _half()}, early_stopping=stopping)
    held = early_stopping.hold_out({"rte": known}, stopping, 3)["rte"]
    assert len(held) == 3  # a quarter of the rows with a gold label
    assert sorted(seen) == sorted([*set(range(16)) - set(held.tolist())] * 2)  # two epochs


def test_rows_held_out_give_no_wrong_answers_either(bench):
    class Negatives:
        left_out = None

        def without(self, rows):
            Negatives.left_out = rows.tolist()
            return self

        def draw(self, rows, random):
            assert Negatives.left_out
            return np.empty(0, np.int64), {}

    stopping = EarlyStopping(share=0.25, patience=1)
    bench.build()
    bench.train({"rte": bench.rows(negatives=Negatives())}, 3, early_stopping=stopping)
    held = early_stopping.hold_out({"rte": np.ones(16, bool)}, stopping, 3)["rte"]
    assert Negatives.left_out == held.tolist()


def test_wrong_answers_are_drawn_anew_for_every_batch(bench):
    numbers = []

    class Negatives:
        def draw(self, rows, random):
            numbers.append(random.integers(2**62))
            return np.empty(0, np.int64), {}

    bench.build()
    bench.train({"rte": bench.rows(negatives=Negatives())}, accumulation=2)
    assert len(numbers) == len(set(numbers)) == 8


def test_early_stopping_ends_the_run_and_keeps_the_best_epoch(bench, monkeypatch, capsys):
    weights, scores = [], iter([0.5, 0.7, 0.6, 0.1])

    def score(watch):
        weights.append({k: v.clone() for k, v in watch.model.state_dict().items()})
        return next(scores)

    monkeypatch.setattr(early_stopping.Watch, "_score", score)
    bench.build()
    stopping = EarlyStopping(share=0.25, patience=1)
    log = bench.train({"rte": bench.rows()}, epochs=4, early_stopping=stopping)
    assert {int(row["epoch"]) for row in log} == {0, 1, 2}
    assert not bench.model.training
    for name, weight in bench.model.state_dict().items():
        assert torch.equal(weight, weights[1][name])
    assert any(not torch.equal(weights[1][name], weights[2][name]) for name in weights[1])
    assert "teach: kept epoch 2" in capsys.readouterr().err


def test_scoring_held_out_rows_does_not_disturb_the_training(bench, monkeypatch):
    """Dropout masks of later epochs are the same whether an epoch was scored or not."""
    stopping, found = EarlyStopping(share=0.25, patience=2), []
    for score in (early_stopping.Watch._score, lambda watch: 0.5):
        monkeypatch.setattr(early_stopping.Watch, "_score", score)
        bench.build()
        found.append(bench.train({"rte": bench.rows()}, early_stopping=stopping))
    assert found[0] == found[1]


def test_a_loss_that_is_not_finite_stops_with_task_step_and_rate(fit):
    with pytest.raises(TrainingError, match="task rte is not finite at step 0") as caught:
        fit(targets=np.full((16, 2), np.nan, np.float32), given={"distillation": _half()})
    assert "learning rate" in str(caught.value)


def _half():
    return Distillation(
        hard_weight=0.5,
        temperature=1.0,
        loss={"kind": "cross_entropy"},
        label_smoothing=0.0,
        internals=None,
    )


def test_no_rows_is_an_error(bench):
    bench.build()
    with pytest.raises(TrainingError, match="no rows to train on"):
        bench.train({})


def test_progress_counts_rows(fit, capsys):
    """A published trainer counted the keys of the batch and called them samples."""
    fit(epochs=3)
    assert "teach: 48 of 48 rows" in capsys.readouterr().err
