"""Premises and hypotheses. Run: pytest tests/pipeline/sample/test_entailment.py"""

from __future__ import annotations

from random import Random

import pytest

from pipeline.sample import entailment
from pipeline.sample.nouns import AWAY_PEOPLE, HOME_PEOPLE, Noun

RELATIONS = ("entailment", "neutral", "contradiction")


@pytest.mark.parametrize("phenomenon", entailment.PHENOMENA, ids=lambda p: p.__name__)
def test_every_phenomenon_gives_every_relation(phenomenon):
    clauses = phenomenon(Random(2), entailment.EVERYWHERE)
    assert tuple(clauses) == RELATIONS
    assert all(clauses.values())


def mentions(texts: tuple[str, ...], people: dict[str, tuple[Noun, ...]]) -> bool:
    text = " ".join(texts).lower()
    return any(noun.one in text for nouns in people.values() for noun in nouns)


def test_mismatched_rows_are_about_other_people():
    home = [entailment.matched(RELATIONS[n % 3], Random(n)).texts for n in range(200)]
    away = [entailment.mismatched(RELATIONS[n % 3], Random(n)).texts for n in range(200)]
    assert not any(mentions(texts, AWAY_PEOPLE) for texts in home)
    assert not any(mentions(texts, HOME_PEOPLE) for texts in away)


@pytest.mark.parametrize("label", ["entailment", "not_entailment"])
def test_news_has_two_sentences_and_a_short_hypothesis(label):
    for seed in range(50):
        example = entailment.news(label, Random(seed))
        assert example.texts[0].count(".") == 2
        assert example.texts[1].count(".") == 1
        assert example.label == label
