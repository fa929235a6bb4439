"""Sentiment with negation and contrast.

Run: pytest tests/pipeline/data/sample/test_sentiment.py
"""

from __future__ import annotations

from random import Random

import pytest

from pipeline.data.sample import sentiment

NEGATIONS = ("is not", "is never", "anything but", "far from", "no one could", "fails to",
             "hardly anything", "by no means")  # fmt: skip
GOOD = {"brilliant", "moving", "charming", "funny", "superb", "joy", "triumph", "treat", "success"}
BAD = {"dull", "clumsy", "tedious", "awful", "bland", "chore", "failure", "bore", "mess"}


def judged(text: str) -> str:
    """Sentiment by hand: the clause that weighs more, its word, turned round by a negation."""
    if " , but " in text:
        text = text.split(" , but ")[1]
    elif text.startswith("although "):
        text = text.split(" , ", 1)[1]
    text = text.split(" , even if ")[0].split(" , and ")[0]
    words = set(text.split(" "))
    if not words & (GOOD | BAD):
        return "unknown"
    negated = any(negation in text for negation in NEGATIONS)
    return "positive" if bool(words & GOOD) != negated else "negative"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("the film is very moving .", "positive"),
        ("the film is not very moving", "negative"),
        ("nobody will deny that the plot is tedious .", "negative"),
        ("the plot is dull , but the whole is in the end a joy .", "positive"),
        ("although the plot is superb , the whole is anything but a success", "negative"),
        ("the acting never stops being funny , even if the plot is awful", "positive"),
    ],
)
def test_the_judge(text, label):
    assert judged(text) == label


def test_labels_follow_from_words_negation_and_contrast():
    judgements = []
    for seed in range(600):
        label = ("positive", "negative")[seed % 2]
        example = sentiment.make(label, Random(seed))
        judgement = judged(example.texts[0])
        assert judgement in (label, "unknown"), example.texts[0]
        judgements.append(judgement)
    assert judgements.count("positive") > 80
    assert judgements.count("negative") > 80
