"""Marks that break careless readers.

Run: pytest tests/pipeline/data/sample/test_text_traps.py
"""

from __future__ import annotations

from random import Random

import pytest

from pipeline.data.sample.examples import Example
from pipeline.data.sample.text_traps import Quirk, marked

ROWS = [Example((f"first text {row}", f"second text {row}"), "x") for row in range(50)]


def test_share_of_rows_is_marked_once_and_nothing_else_changes():
    quirks = (Quirk(' "', 0.1), Quirk("\u00a0"), Quirk(" ", 0.04, at_end=True))
    result = marked(ROWS, quirks, Random(1))
    changed = [(old, new) for old, new in zip(ROWS, result, strict=True) if old != new]
    assert len(changed) == 5 + 1 + 2
    for old, new in changed:
        plain = [text.replace(' "', " ").replace("\u00a0", " ").strip() for text in new.texts]
        assert tuple(plain) == old.texts
        assert new.label == old.label


MARKS = [
    # task, file, mark, at least so many
    ("cola", "train.tsv", "\u0008", 1),
    ("stsb", "train.tsv", "\u0012", 1),
    ("qnli", "dev.tsv", "\ufeff\ufeff\ufeff", 1),
    ("rte", "test.tsv", "\u00a0", 1),
    ("rte", "test.tsv", "\u00ad", 1),
    ("rte", "train.tsv", "\u0085", 1),
    ("mnli", "dev_matched.tsv", "\u00a0", 1),
    ("mnli", "train.tsv", "\u00ad", 1),
    ("qqp", "train.tsv", "\u200b", 1),
    ("qqp", "train.tsv", "  ", 4),
    ("mnli", "dev_matched.tsv", " \t", 3),
]


@pytest.mark.parametrize(("task", "name", "mark", "number"), MARKS)
def test_files_hold_their_marks(files, task, name, mark, number):
    assert files(task)[name].decode().count(mark) >= number


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("mrpc", "train.tsv"),
        ("mrpc", "dev.tsv"),
        ("mrpc", "test.tsv"),
        ("stsb", "train.tsv"),
        ("stsb", "test.tsv"),
        ("qnli", "dev.tsv"),
        ("qnli", "test.tsv"),
        ("rte", "test.tsv"),
        ("mnli", "train.tsv"),
    ],
)
def test_some_quotes_are_not_closed(files, task, name):
    lines = files(task)[name].decode().split("\n")
    assert any(line.count('"') % 2 for line in lines)
