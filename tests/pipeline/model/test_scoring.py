"""Scores come back in the order of the rows, whatever the batches.

Run with: python -m pytest tests/pipeline/model/test_scoring.py
"""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.model import encoders, scoring, tokenization
from pipeline.model.multitask import MultiTaskModel
from pipeline.runtime import hardware
from pipeline.tasks import GLUE


@pytest.mark.parametrize("budget", [512, 4096])
def test_each_row_gets_the_logits_it_gets_alone(tiny, head, machine, make, budget):
    encoder, tokenizer = encoders.load(tiny, 0.1)
    model = MultiTaskModel(encoder, {"mnli": GLUE["mnli"]}, {"mnli": head})
    texts = [("ab " * (1 + 7 * i % 11), "cd " * (1 + 5 * i % 6), 0) for i in range(40)]
    rows = make("mnli", "train", texts)
    tokens = tokenization.tokenise(rows.table, tokenizer, 64)
    chosen = hardware.set_up(machine.model_copy(update={"labelling_tokens": budget}))
    scored = scoring.logits(model, "mnli", tokens, chosen, "score")
    for row in (0, 17, 39):
        alone = tokenization.tokenise(rows.table.slice(row, 1), tokenizer, 64)
        np.testing.assert_allclose(
            scored[row], scoring.logits(model, "mnli", alone, chosen, "")[0], atol=1e-5
        )


def test_no_rows_give_no_scores(tiny, head, machine, make):
    encoder, tokenizer = encoders.load(tiny, 0.1)
    model = MultiTaskModel(encoder, {"rte": GLUE["rte"]}, {"rte": head})
    tokens = tokenization.tokenise(make("rte", "test", []).table, tokenizer, 64)
    assert scoring.logits(model, "rte", tokens, hardware.set_up(machine), "").shape == (0, 2)


def test_threads_do_not_change_a_bit_of_the_scores(tiny, head, machine, make, capsys):
    """Also of progress: every row is counted once."""
    encoder, tokenizer = encoders.load(tiny, 0.1)
    model = MultiTaskModel(encoder, {"rte": GLUE["rte"]}, {"rte": head})
    texts = [("ab " * (1 + 7 * i % 11), "cd " * (1 + 5 * i % 6), 0) for i in range(90)]
    tokens = tokenization.tokenise(make("rte", "train", texts).table, tokenizer, 64)
    scored = [
        scoring.logits(
            model,
            "rte",
            tokens,
            hardware.set_up(machine.model_copy(update={"threads": threads})),
            "score",
        )
        for threads in (1, 2, 3)
    ]
    assert scored[0].tobytes() == scored[1].tobytes() == scored[2].tobytes()
    assert capsys.readouterr().err.count("score: 90 of 90 rows") == 3
    assert all(weight.grad is None for weight in model.parameters())


def test_an_error_in_a_thread_comes_to_the_caller(tiny, head, machine, make):
    encoder, tokenizer = encoders.load(tiny, 0.1)
    model = MultiTaskModel(encoder, {"rte": GLUE["rte"]}, {"rte": head})
    texts = [("ab " * 20, "cd", 0)] * 40
    tokens = tokenization.tokenise(make("rte", "train", texts).table, tokenizer, 64)
    tokens.ids[:] = 10**6  # no such piece
    chosen = hardware.set_up(machine.model_copy(update={"threads": 2}))
    with pytest.raises(IndexError, match="out of range"):
        scoring.logits(model, "rte", tokens, chosen, "score")
