"""Premises and hypotheses.

Run: pytest tests/pipeline/data/sample/test_entailment.py
"""

from __future__ import annotations

from random import Random

import pytest

from pipeline.data.sample import entailment
from pipeline.data.sample.nouns import AWAY_PEOPLE, HOME_PEOPLE, Noun

RELATIONS = ("entailment", "neutral", "contradiction")


@pytest.mark.parametrize("phenomenon", entailment.PHENOMENA, ids=lambda p: p.__name__)
def test_every_phenomenon_gives_every_relation(phenomenon):
    clauses = phenomenon(Random(2), entailment.EVERYWHERE)
    assert tuple(clauses) == RELATIONS
    assert all(clauses.values())


def nouns_of(people: dict[str, tuple[Noun, ...]]) -> set[str]:
    names = {form for nouns in people.values() for n in nouns for form in (n.one, n.many)}
    return {f" {name} " for name in names}


def mentions(texts: tuple[str, ...], people: dict[str, tuple[Noun, ...]]) -> bool:
    text = " ".join(texts).lower().replace(".", " ")
    return any(name in text for name in nouns_of(people))


def test_mismatched_rows_are_about_other_people():
    home = [entailment.matched(RELATIONS[n % 3], Random(n)).texts for n in range(200)]
    away = [entailment.mismatched(RELATIONS[n % 3], Random(n)).texts for n in range(200)]
    assert sum(mentions(texts, HOME_PEOPLE) for texts in home) > 150
    assert sum(mentions(texts, AWAY_PEOPLE) for texts in away) > 150
    assert not any(mentions(texts, AWAY_PEOPLE) for texts in home)
    assert not any(mentions(texts, HOME_PEOPLE) for texts in away)


@pytest.mark.parametrize("label", ["entailment", "not_entailment"])
def test_news_has_a_short_hypothesis_and_sometimes_other_news(label):
    sentences = set()
    for seed in range(50):
        example = entailment.news(label, Random(seed))
        sentences.add(example.texts[0].count("."))
        assert example.texts[1].count(".") == 1
        assert example.label == label
    assert sentences == {1, 2}
