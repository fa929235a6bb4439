"""Splits of the sample source.

Run: pytest tests/pipeline/data/sample/test_splits.py
"""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from pipeline.data.sample import splits
from pipeline.data.sample.examples import Example
from pipeline.errors import DataError
from pipeline.params.sources.sample import Sample
from pipeline.tasks import GLUE

CLEAN = Sample(seed=5, train=200, dev=40, test=40, label_noise=0.0)


@pytest.mark.parametrize("task", GLUE.values(), ids=GLUE)
@pytest.mark.parametrize(("share", "wrong"), [(0.0, 0), (0.05, 10), (0.2, 40)])
def test_noise_changes_that_share_of_train_labels_and_nothing_else(task, share, wrong):
    clean = splits.draw(task, CLEAN)
    noisy = splits.draw(task, CLEAN.model_copy(update={"label_noise": share}))
    expected = round(wrong / 4) if task.name == "wnli" else wrong
    pairs = list(zip(clean["train"], noisy["train"], strict=True))
    assert [a.texts for a, _ in pairs] == [b.texts for _, b in pairs]
    assert sum(a.label != b.label for a, b in pairs) == expected
    assert all(clean[split] == noisy[split] for split in task.rows if split != "train")


@pytest.mark.parametrize(("score", "wrong"), [(0.0, 2.0), (2.4, 4.4), (2.5, 0.5), (5.0, 3.0)])
def test_wrong_scores_are_two_off_and_in_range(score, wrong):
    rows = splits.mislabelled([Example(("a", "b"), score)], GLUE["stsb"], 0.6, Random(0))
    assert rows[0].label == wrong


@pytest.mark.parametrize("task", GLUE.values(), ids=GLUE)
def test_labels_are_balanced(task):
    for split, rows in splits.draw(task, CLEAN).items():
        labels = Counter(round(e.label) if task.regression else e.label for e in rows)
        assert len(labels) == (6 if task.regression else len(task.labels)), split
        assert max(labels.values()) - min(labels.values()) <= 1


@pytest.mark.parametrize("task", GLUE.values(), ids=GLUE)
def test_no_single_word_gives_the_label_away(task):
    """Neither in a text nor in one of the two places of a pair."""
    if task.regression:
        pytest.skip("no classes")
    settings = CLEAN.model_copy(update={"train": 1000})
    rows = splits.draw(task, settings)["train"]
    words: dict[tuple[int, str], Counter] = {}
    for row in rows:
        for place in {(side, w) for side, text in enumerate(row.texts) for w in text.split()}:
            words.setdefault(place, Counter())[row.label] += 1
    totals = Counter(row.label for row in rows)
    best = max(
        max(present.values()) + max(totals[label] - present[label] for label in task.labels)
        for present in words.values()
    )
    assert best / len(rows) < max(totals.values()) / len(rows) + 0.1


@pytest.mark.parametrize(
    ("task", "split", "rows"),
    [
        ("cola", "train", 200),
        ("cola", "dev", 40),
        ("mnli", "dev_mismatched", 40),
        ("mnli", "ax", 40),
        ("wnli", "train", 50),
        ("wnli", "test", 10),
    ],
)
def test_count(task, split, rows):
    assert CLEAN.rows(GLUE[task], split) == rows


def test_a_grammar_that_runs_out_says_so(monkeypatch):
    monkeypatch.setitem(splits.MAKERS, "cola", lambda label, rng: Example(("Birds sing.",), label))
    with pytest.raises(DataError, match="no more distinct sentences") as error:
        splits.draw(GLUE["cola"], CLEAN)
    assert error.value.seen == "200 rows of train"
