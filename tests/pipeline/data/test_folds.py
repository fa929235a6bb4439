"""Folds: every row is held out once, equal texts together, classes evenly."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data import folds
from pipeline.data.rows import Rows
from pipeline.errors import DataError
from pipeline.tasks import GLUE
from tests.pipeline.conftest import make_rows


def train(examples: list[tuple[str, float]], task: str = "mnli") -> Rows:
    """Train rows with the text hashes and labels that are given."""
    rows = make_rows(GLUE[task], "train", [("a", "b", label) for _, label in examples])
    at = rows.table.schema.get_field_index("text_hash")
    hashes = pa.array([text for text, _ in examples], pa.string())
    field = rows.table.schema.field("text_hash")
    return Rows(rows.table.set_column(at, field, hashes), rows.metadata)


@pytest.mark.parametrize(
    ("task", "examples", "count", "expected"),
    [
        # Dealt out in the order a b c | d e of classes 0 | 1.
        ("rte", [("d", 1), ("b", 0), ("a", 0), ("e", 1), ("c", 0)], 2, [2, 2, 1, 1, 1]),
        ("rte", [("d", 1), ("b", 0), ("a", 0), ("e", 1), ("c", 0)], 5, [4, 2, 1, 5, 3]),
        # The text a has both labels and counts with the lower: a b d | c e.
        (
            "rte",
            [("d", 0), ("a", 0), ("c", 1), ("b", 0), ("e", 1), ("a", 1)],
            2,
            [1, 1, 2, 2, 1, 1],
        ),
        # Scores in rising order, then texts: y w z x.
        ("stsb", [("x", 5.0), ("y", 0.0), ("z", 2.5), ("w", 2.5)], 2, [2, 1, 1, 2]),
        ("rte", [("a", 0), ("b", 1)], 1, [1, 1]),
    ],
    ids=["classes", "as many folds as texts", "equal texts", "scores", "one fold"],
)
def test_held_out_by_hand(task, examples, count, expected):
    fold_numbers = folds.held_out(train(examples, task), count)
    assert fold_numbers.tolist() == expected


texts = st.lists(st.tuples(st.sampled_from("abcdefghijklm"), st.integers(0, 2)), min_size=5)


def distinct(examples: list[tuple[str, float]]) -> int:
    return len({text for text, _ in examples})


@settings(deadline=None)
@given(texts.filter(lambda examples: distinct(examples) >= 5), st.integers(2, 5))
def test_every_fold_has_its_share_of_texts_and_classes(examples, count):
    fold_numbers = folds.held_out(train(examples), count)
    assert set(fold_numbers) == set(range(1, count + 1))
    of_text: dict[str, tuple[int, float]] = {}
    for (text, label), fold in zip(examples, fold_numbers, strict=True):
        before = of_text.setdefault(text, (fold, label))
        assert before[0] == fold
        of_text[text] = (fold, min(label, before[1]))
    for label in (None, 0, 1, 2):
        dealt = [fold for fold, of in of_text.values() if label in (None, of)]
        sizes = [dealt.count(fold) for fold in range(1, count + 1)]
        assert max(sizes) - min(sizes) <= 1


@settings(deadline=None)
@given(texts.filter(lambda examples: distinct(examples) >= 3), st.data())
def test_the_order_of_rows_does_not_matter(examples, data):
    order = data.draw(st.permutations(range(len(examples))))
    straight = folds.held_out(train(examples), 3)
    shuffled = folds.held_out(train([examples[at] for at in order]), 3)
    assert shuffled.tolist() == straight[list(order)].tolist()


def test_the_hash_of_a_text_decides_not_its_id():
    """The same rows at other positions of another file get the same folds."""
    rows = make_rows(GLUE["rte"], "train", [(f"text {at}", "b", at % 2) for at in range(40)])
    later = Rows(rows.table.slice(0), {**rows.metadata, "task": "own"})
    assert folds.held_out(rows, 4).tolist() == folds.held_out(later, 4).tolist()
    assert np.bincount(folds.held_out(rows, 4)).tolist() == [0, 10, 10, 10, 10]


def test_many_rows_are_dealt_out_by_label_then_text():
    rows = make_rows(GLUE["mnli"], "train", [(f"text {at}", "b", at % 3) for at in range(200)])
    hashes = rows.table["text_hash"].to_pylist()
    dealt = sorted(range(200), key=lambda at: (at % 3, hashes[at]))
    expected = {row: turn % 7 + 1 for turn, row in enumerate(dealt)}
    assert folds.held_out(rows, 7).tolist() == [expected[row] for row in range(200)]


def test_more_folds_than_texts_are_refused():
    rows = train([("a", 0), ("a", 1), ("b", 0)], "rte")
    assert folds.held_out(rows, 2).tolist() == [1, 1, 2]
    with pytest.raises(
        DataError, match=r"rte: 3 folds need 3.*\n  seen: 2 texts in 3 rows"
    ) as error:
        folds.held_out(rows, 3)
    assert "fix: set teachers.folds to at most 2 folds, or to [all]" in str(error.value)


def test_every_model_sees_all_rows_but_its_fold():
    rows = train([("d", 1), ("b", 0), ("a", 0), ("e", 1), ("c", 0)], "rte")
    blind = folds.held_out(rows, 2)
    tables = {fold: folds.outside(rows, fold, blind).table for fold in ("1", "2")}
    assert tables["1"]["text_hash"].to_pylist() == ["d", "b"]
    assert tables["2"]["text_hash"].to_pylist() == ["a", "e", "c"]
    assert folds.outside(rows, "all", blind) is rows


def test_a_fingerprint_tells_rows_apart():
    rows = train([("a", 0), ("b", 0), ("c", 1)], "rte")
    fingerprint = folds.fingerprint(rows)
    assert fingerprint["rows"] == 3
    assert fingerprint == folds.fingerprint(train([("a", 0), ("b", 0), ("c", 1)], "rte"))
    others = [
        train([("a", 0), ("b", 0)], "rte"),
        train([("a", 0), ("b", 0), ("d", 1)], "rte"),
        Rows(rows.table.take(pa.array([1, 0, 2])), rows.metadata),
    ]
    assert (
        len({fingerprint["sha256"], *(folds.fingerprint(other)["sha256"] for other in others)}) == 4
    )


def test_names_are_those_of_stages():
    assert folds.names(["all"]) == ["all"]
    assert folds.names([1, 2, 10]) == ["1", "2", "10"]
