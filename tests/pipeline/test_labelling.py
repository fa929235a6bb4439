"""Scores come back in the order of the rows, whatever the batches.

Run with: python -m pytest tests/pipeline/test_labelling.py
"""

from __future__ import annotations

import numpy as np
import pytest

from pipeline import labelling, machine
from pipeline.models import encoders, tokens
from pipeline.models.model import MultiTaskModel
from pipeline.tasks import GLUE


@pytest.mark.parametrize("budget", [512, 4096])
def test_each_row_gets_the_logits_it_gets_alone(tiny, head, hardware, make, budget):
    encoder, tokenizer = encoders.load(tiny, 0.1)
    model = MultiTaskModel(encoder, {"mnli": GLUE["mnli"]}, {"mnli": head})
    texts = [("ab " * (1 + 7 * i % 11), "cd " * (1 + 5 * i % 6), 0) for i in range(40)]
    rows = make("mnli", "train", texts)
    packed = tokens.tokenise(rows.table, tokenizer, 64)
    chosen = machine.set_up(hardware.model_copy(update={"labelling_tokens": budget}))
    scored = labelling.logits(model, "mnli", packed, chosen, "score")
    for row in (0, 17, 39):
        alone = tokens.tokenise(rows.table.slice(row, 1), tokenizer, 64)
        np.testing.assert_allclose(
            scored[row], labelling.logits(model, "mnli", alone, chosen, "")[0], atol=1e-5
        )


def test_no_rows_give_no_scores(tiny, head, hardware, make):
    encoder, tokenizer = encoders.load(tiny, 0.1)
    model = MultiTaskModel(encoder, {"rte": GLUE["rte"]}, {"rte": head})
    packed = tokens.tokenise(make("rte", "test", []).table, tokenizer, 64)
    assert labelling.logits(model, "rte", packed, machine.set_up(hardware), "").shape == (0, 2)


def test_threads_do_not_change_a_bit_of_the_scores(tiny, head, hardware, make, capsys):
    """Also of progress: every row is counted once."""
    encoder, tokenizer = encoders.load(tiny, 0.1)
    model = MultiTaskModel(encoder, {"rte": GLUE["rte"]}, {"rte": head})
    texts = [("ab " * (1 + 7 * i % 11), "cd " * (1 + 5 * i % 6), 0) for i in range(90)]
    packed = tokens.tokenise(make("rte", "train", texts).table, tokenizer, 64)
    scored = [
        labelling.logits(
            model,
            "rte",
            packed,
            machine.set_up(hardware.model_copy(update={"threads": threads})),
            "score",
        )
        for threads in (1, 2, 3)
    ]
    assert scored[0].tobytes() == scored[1].tobytes() == scored[2].tobytes()
    assert capsys.readouterr().err.count("score: 90 of 90 rows") == 3
    assert all(weight.grad is None for weight in model.parameters())


def test_an_error_in_a_thread_comes_to_the_caller(tiny, head, hardware, make):
    encoder, tokenizer = encoders.load(tiny, 0.1)
    model = MultiTaskModel(encoder, {"rte": GLUE["rte"]}, {"rte": head})
    texts = [("ab " * 20, "cd", 0)] * 40
    packed = tokens.tokenise(make("rte", "train", texts).table, tokenizer, 64)
    packed.ids[:] = 10**6  # no such piece
    chosen = machine.set_up(hardware.model_copy(update={"threads": 2}))
    with pytest.raises(IndexError, match="out of range"):
        labelling.logits(model, "rte", packed, chosen, "score")
