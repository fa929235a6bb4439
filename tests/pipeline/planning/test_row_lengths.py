"""Lengths of rows: the table against real files, and loads by hand.

Run with: python -m pytest tests/pipeline/planning/test_row_lengths.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.planning import encoder_shapes, row_lengths
from pipeline.tasks import GLUE

TEXT = {  # file, whether it has a header, columns of the texts
    "cola": ("CoLA", False, (3,)),
    "mrpc": ("MRPC", True, (3, 4)),
    "stsb": ("STS-B", True, (7, 8)),
    "rte": ("RTE", True, (1, 2)),
    "wnli": ("WNLI", True, (1, 2)),
}


def test_a_load_by_hand() -> None:
    """Lengths 2 and 6, cut to 4 and padded by 4 %: 2.08 and 4.16 tokens, each of 10 rows."""
    load = row_lengths.load(np.array([2, 6]), 20, max_length=4)
    assert load.rows == 20
    assert load.tokens == pytest.approx(10 * (2.08 + 4.16))
    assert load.squares == pytest.approx(10 * (2.08**2 + 4.16**2))


def test_the_table_has_every_task_in_rising_groups() -> None:
    assert {*row_lengths.GLUE} == {*GLUE}
    for groups in row_lengths.GLUE.values():
        assert len(groups) == 10
        assert list(groups) == sorted(groups)


@pytest.mark.parametrize("task", TEXT)
def test_the_table_is_that_of_real_rows(real_glue: Path, defaults, task: str) -> None:
    """Mean and mean square within 3 %, cut at 96 tokens and whole."""
    tokenizer = encoder_shapes.folder(defaults.student.encoder) / encoder_shapes.TOKENIZER
    lengths = _tokens(real_glue, task, tokenizer)
    table = np.array(row_lengths.GLUE[task])
    for most in (96, 512):
        real, known = np.minimum(lengths, most), np.minimum(table, most)
        assert known.mean() == pytest.approx(real.mean(), rel=0.03)
        assert (known**2).mean() == pytest.approx((real**2).mean(), rel=0.03)


def _tokens(folder: Path, task: str, tokenizer: Path) -> np.ndarray:
    from tokenizers import Tokenizer

    name, header, columns = TEXT[task]
    lines = (folder / name / "train.tsv").read_text("utf-8-sig").rstrip("\n").split("\n")
    cells = [line.split("\t") for line in lines[header:]]
    texts = [tuple(row[column] for column in columns) for row in cells]
    pieces = Tokenizer.from_file(str(tokenizer))
    pieces.no_truncation()
    pieces.no_padding()
    plain = [text if len(text) == 2 else text[0] for text in texts]
    return np.array([len(encoding.ids) for encoding in pieces.encode_batch(plain)])


@pytest.mark.parametrize(
    ("task", "rows", "expected"),
    [
        ("rte", [("a dog", "a cat", 0), ("dog", "a cat", 1)], [7, 6]),
        ("cola", [("a dog", None, 0)], [4]),
    ],
)
def test_measured_lengths_count_special_tokens(make, defaults, task, rows, expected) -> None:
    tokenizer = encoder_shapes.folder(defaults.student.encoder) / encoder_shapes.TOKENIZER
    assert row_lengths.measure(make(task, "train", rows), tokenizer).tolist() == expected


def test_of_many_rows_some_are_measured_over_their_whole_range(make, defaults, monkeypatch) -> None:
    monkeypatch.setattr(row_lengths, "SAMPLED", 3)
    rows = [("dog " * count, None, 0) for count in range(1, 10)]
    tokenizer = encoder_shapes.folder(defaults.student.encoder) / encoder_shapes.TOKENIZER
    assert row_lengths.measure(make("cola", "train", rows), tokenizer).tolist() == [3, 7, 11]
