"""Questions and answers.

Run: pytest tests/pipeline/data/sample/test_answers.py
"""

from __future__ import annotations

import re
from random import Random

import pytest

from pipeline.data.sample import answers

CUES = [
    # a question about the aspect, what a sentence that answers it says
    (r"Who designed|architect", r"was designed by [A-Z]"),
    (r"When was|what year", r"was opened in \d{4}"),
    (r"Where does|which town", r"stands in [A-Z]"),
    (r"How much|price", r"cost [\d,]+ crowns"),
    (r"built of|material", r"is built of "),
    (r"How many", r"draws [\d,]+ people"),
    (r"What damaged|disaster", r"was badly damaged by a "),
    (r"Why was|what reason", r"was founded to "),
]


def answered(question: str, sentence: str) -> bool:
    """By hand: the sentence is about the same building and tells what is asked for."""
    name = re.search(r"the ([A-Z]\w+(?: [A-Z]\w+)+)", question).group(1)
    answer = next(answer for cue, answer in CUES if re.search(cue, question))
    return f"The {name}" in sentence and re.search(answer, sentence) is not None


@pytest.mark.parametrize(
    ("question", "sentence", "expected"),
    [
        (
            "Where does the Dorn Mill stand?",
            "The Dorn Mill stands in Velden and is built of oak.",
            True,
        ),
        ("Where does the Dorn Mill stand?", "The Dorn Mill was opened in 1802.", False),
        ("Where does the Dorn Mill stand?", "The Holm Mill stands in Velden.", False),
        ("When was the Dorn Mill opened?", "The Dorn Mill was opened in 1802.", True),
    ],
)
def test_the_judge(question, sentence, expected):
    assert answered(question, sentence) is expected


@pytest.mark.parametrize("label", ["entailment", "not_entailment"])
def test_labels_follow_from_what_is_told(label):
    for seed in range(400):
        question, sentence = answers.make(label, Random(seed)).texts
        assert answered(question, sentence) == (label == "entailment"), (question, sentence)
