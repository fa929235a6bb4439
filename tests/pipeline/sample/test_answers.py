"""Questions and answers. Run: pytest tests/pipeline/sample/test_answers.py"""

from __future__ import annotations

import re
from random import Random

import pytest

from pipeline.sample import answers

CUES = [
    # a question about the aspect, what a sentence that answers it says
    (r"Who designed|architect|person who planned", r"was designed by [A-Z]"),
    (r"When did|what year|How old", r"was opened in \d{4}"),
    (r"Where is|which town|location", r"stands in [A-Z]"),
    (r"money|price|How expensive", r"cost [\d,]+ crowns"),
    (r"made of|material|walls", r"is built of "),
    (r"How many|popular", r"draws [\d,]+ people"),
    (r"destroyed|disaster|harmed", r"was badly damaged by a "),
    (r"established|what reason|the aim", r"was founded to "),
]


def answered(question: str, sentence: str) -> bool:
    """By hand: the sentence is about the same building and tells what is asked for."""
    name = re.search(r"the ([A-Z]\w+(?: [A-Z]\w+)+)", question).group(1)
    told = next(told for asked, told in CUES if re.search(asked, question))
    return f"The {name}" in sentence and re.search(told, sentence) is not None


@pytest.mark.parametrize(
    ("question", "sentence", "expected"),
    [
        ("Where is the Dorn Mill?", "The Dorn Mill stands in Velden and is built of oak.", True),
        ("Where is the Dorn Mill?", "The Dorn Mill was opened in 1802.", False),
        ("Where is the Dorn Mill?", "The Holm Mill stands in Velden.", False),
        ("How old is the Dorn Mill?", "The Dorn Mill was opened in 1802.", True),
    ],
)
def test_the_judge(question, sentence, expected):
    assert answered(question, sentence) is expected


@pytest.mark.parametrize("label", ["entailment", "not_entailment"])
def test_labels_follow_from_what_is_told(label):
    for seed in range(400):
        question, sentence = answers.make(label, Random(seed)).texts
        assert answered(question, sentence) == (label == "entailment"), (question, sentence)
