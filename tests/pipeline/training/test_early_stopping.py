"""Held-out rows: gold ones only, by seed; training stops and goes back to the best epoch.

Run with: python -m pytest tests/pipeline/training/test_early_stopping.py
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import TrainingError
from pipeline.model import encoders, tokenization
from pipeline.model.multitask import MultiTaskModel
from pipeline.params.sections import EarlyStopping
from pipeline.runtime import hardware
from pipeline.tasks import GLUE
from pipeline.training import early_stopping

EXAMPLES = [("aaaa", "bb", 0), ("cc", "dddd", 1), ("e", "ff", 0), ("ggg", "h", 1)]


def _stopping(share=0.25, patience=1):
    return EarlyStopping(share=share, patience=patience)


@given(st.lists(st.booleans(), min_size=1, max_size=200), st.integers(0, 2**32 - 1))
def test_only_rows_with_a_gold_label_are_held_out(flags, seed):
    known = np.array([*flags, True, True])
    held_out = early_stopping.hold_out({"rte": known}, _stopping(0.5), seed)["rte"]
    assert known[held_out].all()
    assert len(set(held_out.tolist())) == len(held_out) == round(known.sum() / 2)
    assert held_out.tolist() == sorted(held_out)


def test_the_seed_decides_which_and_the_order_of_tasks_does_not():
    known = {"rte": np.ones(100, bool), "cola": np.ones(100, bool)}
    first = early_stopping.hold_out(known, _stopping(), 1)
    again = early_stopping.hold_out(dict(reversed(known.items())), _stopping(), 1)
    other = early_stopping.hold_out(known, _stopping(), 2)
    for task in known:
        assert first[task].tolist() == again[task].tolist() != other[task].tolist()
    assert first["rte"].tolist() != first["cola"].tolist()


def test_further_rows_without_labels_do_not_change_what_is_held_out():
    """A student with transfer rows and its baseline without them hold out the same."""
    bare = {"rte": np.ones(40, bool)}
    more = {"rte": np.concatenate([np.ones(40, bool), np.zeros(30, bool)])}
    first, second = (
        early_stopping.hold_out(known, _stopping(), 3)["rte"] for known in (bare, more)
    )
    assert first.tolist() == second.tolist()


def test_nothing_is_held_out_without_early_stopping():
    held_out = early_stopping.hold_out({"rte": np.ones(4, bool)}, None, 0)
    assert held_out["rte"].tolist() == []


@pytest.mark.parametrize(
    ("rows", "share", "what"),
    [(4, 0.1, "0.1 of 4 rows .* is none"), (0, 0.5, "of 0 rows .* is none"), (2, 0.9, "is 2")],
)
def test_too_few_rows_are_refused(rows, share, what):
    known = {"cola": np.ones(100, bool), "rte": np.arange(9) < rows}
    with pytest.raises(TrainingError, match=what) as error:
        early_stopping.hold_out(known, _stopping(share), 0)
    assert "task rte" in str(error.value)
    assert "early_stopping.share" in str(error.value)


@pytest.fixture
def watch(tiny, head, machine, make):
    """A watch over a tiny model with two tasks; held out are the last two rows of each."""

    def build(patience=1):
        encoder, tokenizer = encoders.load(tiny, 0.0)
        tasks = {name: GLUE[name] for name in ("rte", "stsb")}
        model = MultiTaskModel(encoder, tasks, dict.fromkeys(tasks, head))
        held_out = {}
        for name in tasks:
            rows = make(name, "train", EXAMPLES)
            tokens = tokenization.tokenise(rows.table, tokenizer, 32)
            held_out[name] = [early_stopping.HeldOut(tokens, rows.labels, np.array([2, 3]))]
        return early_stopping.EarlyStopper(
            model, held_out, patience, hardware.set_up(machine), "teach"
        )

    return build


@pytest.mark.parametrize(
    ("scores", "patience", "epochs", "best"),
    [
        ([0.1, 0.2, 0.3], 1, 3, 2),
        ([0.5, 0.4, 0.9], 1, 2, 0),
        ([0.5, 0.4, 0.9], 2, 3, 2),
        ([0.5, 0.5, 0.5], 2, 3, 0),  # a tie is no gain
        ([-0.2, -0.3], 1, 2, 0),  # a published trainer kept nothing where no score was above 0
    ],
)
def test_it_stops_after_patience_and_restores_the_best_epoch(
    watch, monkeypatch, capsys, scores, patience, epochs, best
):
    watched = watch(patience)
    bias = watched.model.head("rte").linear.bias
    epochs_run = 0
    for epoch, score in enumerate(scores):
        with torch.no_grad():
            bias.fill_(float(epoch))  # what training does to the weights
        monkeypatch.setattr(watched, "_score", lambda score=score: score)
        epochs_run += 1
        if watched.ends(epoch):
            break
    assert epochs_run == epochs
    watched.restore()
    assert bias.tolist() == [float(best)] * 2
    # Two rows of each of the two tasks.
    assert watched.kept() == early_stopping.Kept(rows=4, epoch=best + 1, score=scores[best])
    message = capsys.readouterr().err
    assert f"teach: epoch {best + 1}: {scores[best]:.4f} on held-out rows, the best" in message
    assert f"teach: kept epoch {best + 1}" in message


def test_the_score_is_the_mean_of_the_tasks_on_held_out_rows_only(watch, monkeypatch):
    watched = watch()
    # rte: rows 2 and 3 are of classes 0 and 1, both called 1: accuracy 1/2.
    # stsb: scores in the order of the labels: Pearson and Spearman 1.
    scored = {"rte": np.array([[0.0, 1.0]] * 2), "stsb": np.array([[0.0], [1.0]])}
    monkeypatch.setattr(watched, "_logits", lambda task, _: scored[task])
    assert watched._score() == pytest.approx((0.5 + 1.0) / 2)
    assert watched.model.training


def test_a_task_with_two_splits_counts_their_mean_once(watch, monkeypatch):
    """MNLI's two dev splits: selection takes the mean of their scores, whatever their sizes."""
    watched = watch()
    split = watched.held_out["rte"][0]
    watched.held_out["rte"] = [split, split._replace(rows=np.array([0, 2, 3]))]
    # rte: all rows called 1: accuracy 1/2 of two rows, 1/3 of three. stsb: 1.
    monkeypatch.setattr(
        watched,
        "_logits",
        lambda task, held: (
            np.array([[0.0], [1.0]]) if task == "stsb" else np.array([[0.0, 1.0]] * len(held.rows))
        ),
    )
    assert watched._score() == pytest.approx(((1 / 2 + 1 / 3) / 2 + 1.0) / 2)


def test_logits_are_those_of_the_held_out_rows_without_dropout(watch):
    watched = watch()
    held_out = watched.held_out["rte"][0]
    watched.model.eval()
    logits = watched._logits("rte", held_out)
    inputs = {k: torch.from_numpy(v) for k, v in held_out.tokens.batch(held_out.rows).items()}
    with torch.no_grad():
        expected = watched.model("rte", inputs).numpy()
    assert logits == pytest.approx(expected, abs=1e-6)


def test_a_score_that_is_no_number_ends_the_run(watch, monkeypatch):
    watched = watch()
    monkeypatch.setattr(watched, "_score", lambda: float("nan"))
    with pytest.raises(TrainingError, match="not a number") as error:
        watched.ends(1)
    assert "after epoch 2" in str(error.value)
