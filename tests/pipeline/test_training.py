"""The loop learns, logs every step, repeats itself to the bit and stops on a bad loss.

Run with: python -m pytest tests/pipeline/test_training.py
"""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch

from pipeline import encoders, labelling, machine, tokens, training
from pipeline.errors import TrainingError
from pipeline.model import MultiTaskModel
from pipeline.tasks import GLUE

EXAMPLES = [("aaaa", "bb", 0), ("cc", "dddd", 1)] * 8


@pytest.fixture
def fit(tmp_path, tiny, head, settings, hardware, make):
    """Train a tiny model; give its logits and its log."""

    def run(seed=0, targets=None, distillation=None, **changes):
        encoder, tokenizer = encoders.load(tiny, 0.1)
        torch.manual_seed(seed)
        model = MultiTaskModel(encoder, {"rte": GLUE["rte"]}, head)
        rows = make("rte", "train", EXAMPLES)
        packed = tokens.tokenise(rows.table, tokenizer, 32)
        chosen = machine.set_up(hardware)
        log = tmp_path / "log.csv"
        plan = training.Run("teach", settings.model_copy(update=changes), seed, log, distillation)
        sets = {"rte": training.TrainingSet(packed, rows.labels, targets)}
        training.train(model, sets, plan, chosen)
        logits = labelling.logits(model, "rte", packed, chosen, "score")
        with log.open() as file:
            return logits, list(csv.DictReader(file))

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


def test_a_loss_that_is_not_finite_stops_with_task_step_and_rate(fit):
    with pytest.raises(TrainingError, match="task rte is not finite at step 0") as caught:
        fit(targets=np.full((16, 2), np.nan, np.float32), distillation=_half())
    assert "learning rate" in str(caught.value)


def _half():
    from pipeline.params.sections import Distillation

    return Distillation(hard_weight=0.5, temperature=1.0)


def test_no_rows_is_an_error(tmp_path, settings, hardware, tiny, head):
    encoder, _ = encoders.load(tiny, 0.1)
    model = MultiTaskModel(encoder, {"rte": GLUE["rte"]}, head)
    run = training.Run("teach", settings, 0, tmp_path / "log.csv")
    with pytest.raises(TrainingError, match="no rows to train on"):
        training.train(model, {}, run, machine.set_up(hardware))


def test_progress_counts_rows(fit, capsys):
    """A published trainer counted the keys of the batch and called them samples."""
    fit(epochs=3)
    assert "teach: 48 of 48 rows" in capsys.readouterr().err
