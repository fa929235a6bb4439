"""Transfer rows that cannot be had: what is said, where it is and how to fix it.

Run with: python -m pytest tests/pipeline/data/test_unlabelled_errors.py
"""

from __future__ import annotations

import pytest

from pipeline.errors import DataError
from tests.pipeline.data.conftest import pairs

HELD_OUT = b"sentence1\tsentence2\nX\tY\n" + b"".join(b"D%d\tB.\n" % i for i in range(7))
FILE = {"source": "file", "file": "own.tsv"}
ERRORS = {
    "no rest": (
        {"source": "rest"},
        {"train": 2},
        b"",
        "no train row of rte is left over: the row cap keeps them all\n"
        "  seen: tasks.rte.rows.train: 2, 2 train rows\n"
        "  where: transfer.rte in params.yaml\n"
        "  fix: lower the row cap, take another source, or take out transfer.rte",
    ),
    "rest repeats": (
        {"source": "rest"},
        {"train": 1},
        b"",
        "no transfer row of rte is left\n"
        "  seen: 1 rows: 1 repeat train rows or each other, 0 are held-out rows\n"
        "  where: transfer.rte in params.yaml\n"
        "  fix: take another source, or take out transfer.rte",
    ),
    "no test split": (
        {"source": "test"},
        {},
        b"",
        "the source has no test split of rte\n"
        "  seen: splits train, dev\n"
        "  where: transfer.rte in params.yaml\n"
        "  fix: take source rest or file, or take out transfer.rte",
    ),
    "no file": (
        {"source": "file", "file": "other.tsv"},
        {},
        b"",
        "no such file of texts\n"
        "  seen: files there: own.tsv\n"
        "  where: data/texts/other.tsv\n"
        "  fix: put it there, or change transfer.rte in params.yaml",
    ),
    "no column": (
        FILE,
        {},
        b"sentence1\tquestion\nA\tB\n",
        "missing column 'sentence2'\n"
        "  seen: 'sentence1', 'question'\n"
        "  where: data/texts/own.tsv, line 1\n"
        "  fix: check that the file is in the layout of its task",
    ),
    "empty text": (
        FILE,
        {},
        b"sentence1\tsentence2\nA\tB\nC\t \n",
        "a text is empty\n"
        "  where: data/texts/own.tsv, line 3, column 'sentence2'\n"
        "  fix: take the line out",
    ),
    "one held-out row": (
        FILE,
        {"dev": 1},
        b"sentence1\tsentence2\nX\tY\nD3\tB.\n",
        "1 of 2 rows are also held-out rows of the task\n"
        "  seen: line 3 is rte/dev/3\n"
        "  where: data/texts/own.tsv\n"
        "  fix: take these lines out of the file; results would be measured on them",
    ),
    "seven held-out rows": (
        FILE,
        {},
        HELD_OUT,
        "7 of 8 rows are also held-out rows of the task\n"
        "  seen: line 3 is rte/dev/0, line 4 is rte/dev/1, line 5 is rte/dev/2, "
        "line 6 is rte/dev/3, line 7 is rte/dev/4, and 2 more\n"
        "  where: data/texts/own.tsv\n"
        "  fix: take these lines out of the file; results would be measured on them",
    ),
}


@pytest.mark.parametrize(("settings", "caps", "content", "message"), ERRORS.values(), ids=ERRORS)
def test_what_cannot_be_had_is_told(prepare, settings, caps, content, message):
    files = {"train.tsv": pairs(["A.", "A."]), "dev.tsv": pairs([f"D{i}" for i in range(7)])}
    with pytest.raises(DataError) as error:
        prepare("rte", files, settings, texts={"own.tsv": content}, **caps)
    assert str(error.value) == message
