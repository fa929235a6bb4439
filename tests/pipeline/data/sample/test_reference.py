"""Pronouns and their owners.

Run: pytest tests/pipeline/data/sample/test_reference.py
"""

from __future__ import annotations

import re
from random import Random

import pytest

from pipeline.data.sample import reference
from pipeline.data.sample.circumstances import MEN, WOMEN

OWNERS = [
    # claim, whose: the first or the second person of the sentence
    ("had two of them", 0),
    ("had left one at home", 1),
    ("was wearing headphones", 0),
    ("was only whispering", 1),
    ("had broken an arm", 1),
    ("was short of money", 0),
    ("collected such things", 1),
    ("was snoring loudly", 1),
    ("did not know the path", 0),
    ("wore a huge hat", 1),
]


def names_in(text: str) -> list[str]:
    return [name for name in re.findall(r"[A-Z]\w+", text) if name in MEN + WOMEN]


@pytest.mark.parametrize(("claim", "owner"), OWNERS)
def test_the_claim_is_true_of_the_pronouns_owner_only(claim, owner):
    labels = set()
    for seed in range(1500):
        label = ("entailment", "not_entailment")[seed % 2]
        text, hypothesis = reference.make(label, Random(seed)).texts
        if hypothesis.endswith(f" {claim}."):
            named = names_in(hypothesis)[0] == names_in(text)[owner]
            assert named == (label == "entailment"), (text, hypothesis)
            labels.add(label)
    assert len(labels) == 2


def test_both_people_could_be_meant():
    for seed in range(100):
        text, hypothesis = reference.make("entailment", Random(seed)).texts
        first, second = names_in(text)
        assert first != second
        assert {first, second} <= set(WOMEN) or {first, second} <= set(MEN)
        assert names_in(hypothesis)[0] in (first, second)
        assert (" she " in text) == (first in WOMEN)
