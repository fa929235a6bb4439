"""The loop learns, logs every step, repeats itself to the bit and stops on a bad loss.

Run with: python -m pytest tests/pipeline/training/test_trainer.py
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter

from pipeline.errors import TrainingError
from pipeline.model import batching
from pipeline.params.heads import Head
from pipeline.params.sampling import MergedSampling, WeightedSampling
from pipeline.params.sections import Distillation, EarlyStopping
from pipeline.training import early_stopping, optimizers, step
from pipeline.training.losses import combined
from pipeline.training.step import engine

pytestmark = pytest.mark.medium


def test_it_learns_a_separable_task(fit):
    logits, log = fit(epochs=12, learning_rate=1e-2)
    assert (logits.argmax(1) == np.array([0, 1] * 8)).all()
    assert float(log[-1]["loss"]) < 0.1 < float(log[0]["loss"])


HEADS = {
    "linear": {"pooling": "cls"},
    "san": {"steps": 3, "prediction_dropout": 0.1},
    "ranking": {"pooling": "mean", "negatives": 1, "gamma": 1.0, "weight": 0.5},
}


@pytest.mark.parametrize("kind", sorted(HEADS))
def test_a_student_learns_soft_labels_with_any_head(bench, kind):
    """Whatever head its teachers had; against the gold labels, which hard weight 0 leaves out."""
    bench.head = TypeAdapter(Head).validate_python({"kind": kind, "dropout": 0.0, **HEADS[kind]})
    bench.build(dropout=0.0)
    targets = np.array([[0.3, 0.7], [0.8, 0.2]] * 8, np.float32)
    rows = bench.rows(targets=targets)
    given = {"distillation": _half().model_copy(update={"hard_weight": 0.0})}
    bench.train({"rte": rows}, 0, given, epochs=25, learning_rate=1e-2)
    probabilities = torch.softmax(torch.from_numpy(bench.logits()), -1).numpy()
    np.testing.assert_allclose(probabilities, targets, atol=0.05)


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


def test_default_settings_are_the_plain_loop_to_the_bit(bench):
    """Nothing of accumulation, sampling, layer decay or early stopping is left in the numbers."""
    model, rows = bench.build(), bench.rows()
    groups = optimizers.groups(model, bench.settings)
    optimizer = optimizers.build(groups, bench.settings, "cpu")
    number = 0
    for epoch in range(2):
        batches = batching.pack(rows.tokens.lengths, 4, np.random.default_rng([5, epoch, 0]))
        for place in np.random.default_rng([5, epoch, 1]).permutation(len(batches)):
            for group in optimizer.param_groups:
                group["lr"] = optimizers.rate(number, 8, bench.settings)
            batch = rows.tokens.batch(batches[place])
            with engine("fast", model) as seeding, seeding(5, number, 0, 0, 5):
                logits = model.train()("rte", {k: torch.from_numpy(v) for k, v in batch.items()})
            labels = torch.from_numpy(rows.labels[batches[place]])
            combined.combined(logits, labels, None, None, None, 0.0).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            number += 1
    expected = {name: weight.clone() for name, weight in model.state_dict().items()}
    bench.build()
    bench.train({"rte": rows}, seed=5)
    for name, weight in bench.model.state_dict().items():
        assert torch.equal(weight, expected[name]), name


def test_tasks_are_drawn_by_their_weights(bench):
    bench.build(tasks=("rte", "stsb"))
    sets = {task: bench.rows(task) for task in ("rte", "stsb")}
    sampling = WeightedSampling(kind="weights", weights={"rte": 1e-9, "stsb": 1.0})
    log = bench.train(sets, given={"sampling": sampling})
    assert [row["task"] for row in log] == ["stsb"] * 16  # as many steps as merged has


def test_rows_held_out_are_in_no_batch_and_all_others_are(bench, monkeypatch):
    trained_rows = []

    class Spy(step.Objective):
        def loss(self, task, rows, batch, own, progress, wrong):
            trained_rows.extend(batch.tolist())
            return super().loss(task, rows, batch, own, progress, wrong)

    monkeypatch.setattr(step, "Objective", Spy)
    stopping = EarlyStopping(share=0.25, patience=9)
    known = np.arange(16) < 12
    bench.build()
    rows = bench.rows(known=known, targets=np.full((16, 2), 0.5, np.float32))
    bench.train({"rte": rows}, 3, {"distillation": _half()}, early_stopping=stopping)
    held_out = early_stopping.hold_out({"rte": known}, stopping, 3)["rte"]
    assert len(held_out) == 3  # a quarter of the rows with a gold label
    assert sorted(trained_rows) == sorted(
        [*set(range(16)) - set(held_out.tolist())] * 2
    )  # two epochs


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
    bench.train({"rte": bench.rows(extra_pairs=Negatives())}, 3, early_stopping=stopping)
    held_out = early_stopping.hold_out({"rte": np.ones(16, bool)}, stopping, 3)["rte"]
    assert Negatives.left_out == held_out.tolist()


def test_early_stopping_ends_the_run_and_keeps_the_best_epoch(bench, monkeypatch, capsys):
    weights, scores = [], iter([0.5, 0.7, 0.6, 0.1])

    def score(watch):
        weights.append({k: v.clone() for k, v in watch.model.state_dict().items()})
        return next(scores)

    monkeypatch.setattr(early_stopping.EarlyStopper, "_score", score)
    bench.build()
    stopping = EarlyStopping(share=0.25, patience=1)
    log = bench.train({"rte": bench.rows()}, epochs=4, early_stopping=stopping)
    assert {int(row["epoch"]) for row in log} == {0, 1, 2}
    assert not bench.model.training
    for name, weight in bench.model.state_dict().items():
        assert torch.equal(weight, weights[1][name])
    assert any(not torch.equal(weights[1][name], weights[2][name]) for name in weights[1])
    assert "teach: kept epoch 2" in capsys.readouterr().err


def test_dev_rows_choose_the_epoch_and_all_train_rows_are_trained_on(bench, monkeypatch, capsys):
    weights, scores = [], iter([0.5, 0.7, 0.6, 0.1])

    def score(watch):
        weights.append({k: v.clone() for k, v in watch.model.state_dict().items()})
        return next(scores)

    monkeypatch.setattr(early_stopping.EarlyStopper, "_score", score)
    bench.build()
    rows = bench.rows()
    held_out = early_stopping.HeldOut(rows.tokens, rows.labels, np.arange(4))
    log = bench.train({"rte": replace(rows, dev=[held_out])}, epochs=4)
    assert len(log) == 4 * 4  # 16 rows in batches of 4
    for name, weight in bench.model.state_dict().items():
        assert torch.equal(weight, weights[1][name])
    err = capsys.readouterr().err
    assert "teach: epoch 2: 0.7000 on dev rows, the best" in err
    assert "teach: kept epoch 2" in err
    assert bench.counted["best_epoch"] == {"rows": 4, "epoch": 2, "score": 0.7}
    assert bench.counted["held_out"] is None, "dev rows are not held out of train"
    assert bench.counted["trained"]["rows"] == 4 * 16


def test_what_was_trained_on_and_the_kept_epoch_are_returned(bench, monkeypatch):
    """Sixteen rows in batches of four, of which a quarter is held out: three steps an epoch."""
    scores = iter([0.5, 0.75, 0.25, 0.1])
    monkeypatch.setattr(early_stopping.EarlyStopper, "_score", lambda _: next(scores))
    bench.build()
    rows = bench.rows()
    stopping = EarlyStopping(share=0.25, patience=1)
    bench.train({"rte": rows}, 3, epochs=4, early_stopping=stopping)
    held_out = early_stopping.hold_out({"rte": np.ones(16, bool)}, stopping, 3)["rte"]
    tokens = 3 * int(np.delete(rows.tokens.lengths, held_out).sum())
    counts = {"steps": 9, "epochs": 3, "rows": 36, "tokens": tokens}
    assert bench.counted["trained"] == counts
    assert bench.counted["held_out"] == {"rows": 4, "epoch": 2, "score": 0.75}
    assert "best_epoch" not in bench.counted
    bench.train({"rte": rows}, 3, epochs=1)
    assert bench.counted["trained"]["steps"] == 4
    assert bench.counted["held_out"] is None


def test_a_task_without_teachers_makes_further_passes_beside_transfer_rows(bench):
    """RTE has 4 rows with a gold label and 12 without: 16 / 4 passes over STS-B's four batches."""
    bench.build(tasks=("rte", "stsb"))
    known = np.arange(16) < 4
    sets = {
        "rte": bench.rows(known=known, targets=np.full((16, 2), 0.5, np.float32)),
        "stsb": bench.rows("stsb"),
    }
    log = bench.train(sets, given={"distillation": _half()}, epochs=1)
    assert [row["task"] for row in log].count("rte") == 4
    assert [row["task"] for row in log].count("stsb") == 16
    once = MergedSampling(kind="merged", passes={})
    log = bench.train(sets, given={"distillation": _half(), "sampling": once}, epochs=1)
    assert [row["task"] for row in log].count("stsb") == 4


def test_scoring_held_out_rows_does_not_disturb_the_training(bench, monkeypatch):
    """Dropout masks of later epochs are the same whether an epoch was scored or not."""
    stopping, results = EarlyStopping(share=0.25, patience=2), []
    for score in (early_stopping.EarlyStopper._score, lambda watch: 0.5):
        monkeypatch.setattr(early_stopping.EarlyStopper, "_score", score)
        bench.build()
        results.append(bench.train({"rte": bench.rows()}, early_stopping=stopping))
    assert results[0] == results[1]


def test_a_loss_that_is_not_finite_stops_with_task_step_and_rate(fit):
    with pytest.raises(TrainingError, match="task rte is not finite at step 0") as error:
        fit(targets=np.full((16, 2), np.nan, np.float32), given={"distillation": _half()})
    assert "learning rate" in str(error.value)


def _half():
    return Distillation(
        hard_weight=0.5,
        temperature=1.0,
        loss={"kind": "cross_entropy"},
        scale=1.0,
        label_smoothing=0.0,
        features=None,
    )


def test_no_rows_is_an_error(bench):
    bench.build()
    with pytest.raises(TrainingError, match="no rows to train on"):
        bench.train({})


def test_progress_counts_rows(fit, capsys):
    """A published trainer counted the keys of the batch and called them samples."""
    fit(epochs=3)
    assert "teach: 48 of 48 rows" in capsys.readouterr().err
