"""Faults of grammar.

Run: pytest tests/pipeline/data/sample/test_acceptability.py
"""

from __future__ import annotations

from random import Random

import pytest

from pipeline.data.sample import acceptability as grammar

CASES = [
    # construction, well-formed, its ill-formed twin
    (
        grammar.determiner_agreement,
        "The violinist bought these cars at the market.",
        "The violinist bought this cars at the market.",
    ),
    (
        grammar.determiner_agreement,
        "The violinist bought each car at the market.",
        "The violinist bought several car at the market.",
    ),
    (
        grammar.adjective_order,
        "The violinist bought an old car on Monday.",
        "The violinist bought a car old on Monday.",
    ),
    (
        grammar.verb_order,
        "The violinist bought a car at the market.",
        "The violinist a car bought at the market.",
    ),
    (
        grammar.auxiliaries,
        "The violinist did not buy a car at the market.",
        "The violinist did not bought a car at the market.",
    ),
    (
        grammar.auxiliaries,
        "The violinist is buying a car at the market.",
        "The violinist is buy a car at the market.",
    ),
    (
        grammar.questions,
        "What did the violinist buy at the market?",
        "What the violinist did buy at the market?",
    ),
    (
        grammar.questions,
        "Which car did the violinist buy at the market?",
        "Which car did the violinist buy a car at the market?",
    ),
    (
        grammar.reflexives,
        "The violinists blamed themselves on Monday.",
        "The violinists blamed herself on Monday.",
    ),
    (
        grammar.transitivity,
        "The violinist slept beside the car on Monday.",
        "The violinist slept the car on Monday.",
    ),
    (
        grammar.polarity,
        "The violinist did not buy any cars at the market.",
        "The violinist bought any cars at the market.",
    ),
    (
        grammar.complements,
        "The violinist wants to buy a car at the market.",
        "The violinist wants buying a car at the market.",
    ),
    (
        grammar.existentials,
        "There is a car at the market.",
        "There are a car at the market.",
    ),
    (
        grammar.existentials,
        "There were three cars at the market.",
        "There was three cars at the market.",
    ),
    (
        grammar.passives,
        "The car was bought by the violinist on Monday.",
        "The car was buy by the violinist on Monday.",
    ),
]


@pytest.mark.parametrize(("construction", "good", "bad"), CASES)
def test_construction(event, construction, good, bad):
    drawn = {construction(Random(seed), event) for seed in range(500)}
    assert (good, bad) in drawn
    assert not {first for first, _ in drawn} & {second for _, second in drawn}


def test_the_verb_agrees_with_the_head_and_not_with_its_neighbour(event):
    for seed in range(50):
        good, bad = grammar.subject_agreement(Random(seed), event)
        plural = good.startswith("The violinists ")
        assert (" buy a car every day." in good) == plural
        assert (" buys a car every day." in bad) == plural


def test_a_relative_clause_has_one_gap(event):
    for seed in range(50):
        good, bad = grammar.relatives(Random(seed), event)
        assert good.endswith(" bought a car on Monday.")
        assert " her bought " in bad or " bought " not in bad


def test_every_construction_is_used():
    assert len(grammar.CONSTRUCTIONS) == 13
    assert min(grammar.CONSTRUCTIONS.values()) > 0


@pytest.mark.parametrize("label", ["acceptable", "unacceptable"])
def test_make(label):
    example = grammar.make(label, Random(1))
    assert example.label == label
    assert len(example.texts) == 1
