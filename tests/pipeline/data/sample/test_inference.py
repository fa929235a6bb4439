"""Entailment by meaning.

Run: pytest tests/pipeline/data/sample/test_inference.py
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from random import Random

import pytest

from pipeline.data.sample import inference, quantities
from pipeline.data.sample.circumstances import NUMBERS
from pipeline.data.sample.nouns import KINDS
from pipeline.data.sample.sentences import EVERYWHERE

CASES = [
    # phenomenon, relation, premise, hypothesis
    (
        "retellings",
        "entailment",
        "the violinist bought a car at the market on Monday",
        "an automobile was purchased by the violinist at the market",
    ),
    (
        "retellings",
        "contradiction",
        "the violinist bought a car at the market on Monday",
        "the violinist did not purchase an automobile",
    ),
    ("hypernyms", "entailment", "a violinist bought a car", "a musician bought a vehicle"),
    ("hypernyms", "entailment", "no musician bought a vehicle", "no violinist bought a car"),
    ("hypernyms", "neutral", "a musician bought a vehicle", "a violinist bought a car"),
    ("hypernyms", "neutral", "no violinist bought a car", "no musician bought a vehicle"),
    ("hypernyms", "contradiction", "a violinist bought a car", "no musician bought a vehicle"),
    (
        "modifiers",
        "entailment",
        "the violinist bought a cheap car on Monday",
        "the violinist bought a car",
    ),
    (
        "modifiers",
        "entailment",
        "the violinist did not buy a car",
        "the violinist did not buy a cheap car at the market",
    ),
    (
        "modifiers",
        "neutral",
        "the violinist bought a car",
        "the violinist bought an old car at the market",
    ),
    (
        "modifiers",
        "contradiction",
        "the violinist bought a new car on Monday",
        "the violinist did not buy a car",
    ),
    ("attitudes", "entailment", "the violinist managed to buy a car", "the violinist bought a car"),
    (
        "attitudes",
        "entailment",
        "the violinist failed to buy a car",
        "the violinist did not buy a car",
    ),
    ("attitudes", "neutral", "the violinist wanted to buy a car", "the violinist bought a car"),
    (
        "attitudes",
        "contradiction",
        "the violinist refused to buy a car",
        "the violinist bought a car",
    ),
]


@pytest.mark.parametrize(("phenomenon", "relation", "premise", "hypothesis"), CASES)
def test_relation_of_clauses(monkeypatch, event, phenomenon, relation, premise, hypothesis):
    nurse = replace(event, agent=KINDS["medical worker"][1])
    events = itertools.cycle((event, nurse))  # retellings need someone else to tell of
    monkeypatch.setattr(inference, "draw_event", lambda rng, world: next(events))
    drawn: dict[str, set[tuple[str, str]]] = {}
    for seed in range(400):
        clauses = getattr(inference, phenomenon)(Random(seed), EVERYWHERE)
        for name, pairs in clauses.items():
            drawn.setdefault(name, set()).update(pairs)
    relations = {name for name, pairs in drawn.items() if (premise, hypothesis) in pairs}
    assert relations == {relation}


def relation_of(premise: set, hypothesis: set) -> str:
    """Relation of two statements, each the set of states of affairs in which it is true."""
    if premise <= hypothesis:
        return "entailment"
    return "neutral" if premise & hypothesis else "contradiction"


def check(phenomenon, true_in) -> None:
    """Every pair of clauses stands in the relation that its truth conditions give."""
    for seed in range(200):
        for relation, pairs in phenomenon(Random(seed), EVERYWHERE).items():
            for premise, hypothesis in pairs:
                assert relation_of(true_in(premise), true_in(hypothesis)) == relation, (
                    premise,
                    hypothesis,
                )


def test_numbers_by_their_truth_conditions():
    bounds = {
        "exactly": lambda count, n: count == n,
        "only": lambda count, n: count == n,
        "at least": lambda count, n: count >= n,
        "more than": lambda count, n: count > n,
        "fewer than": lambda count, n: count < n,
    }

    def true_in(clause: str) -> set[int]:
        bound = next(bound for bound in bounds if clause.startswith(bound))
        number = 2 + NUMBERS.index(clause.removeprefix(bound).split()[0])
        return {count for count in range(15) if bounds[bound](count, number)}

    check(quantities.numbers, true_in)


def test_quantifiers_by_their_truth_conditions():
    by_start = {
        "all of": {5},
        "most of": {3, 4, 5},
        "some of": {1, 2, 3, 4, 5},
        "not all of": {0, 1, 2, 3, 4},
        "none of": {0},
        "at least one of": {0, 1, 2, 3, 4},  # "... did not": somebody of the five failed
        "there was no one among": {0},
    }

    def true_in(clause: str) -> set[int]:
        return next(counts for start, counts in by_start.items() if clause.startswith(start))

    check(quantities.quantifiers, true_in)


def test_conjunctions_by_their_truth_conditions():
    worlds = {(first, other) for first in (True, False) for other in (True, False)}

    def true_in(clause: str) -> set[tuple[bool, bool]]:
        if clause.startswith("neither "):
            return {(False, False)}
        if clause.startswith("one of ") and " and the " in clause:
            return {(True, True)}
        if clause.startswith("one of "):
            return worlds - {(False, False)}
        denied = " did not " in clause
        return {world for world in worlds if world[1] != denied}

    check(quantities.conjunctions, true_in)


def test_voices_keep_or_change_the_roles():
    for seed in range(50):
        clauses = inference.voices(Random(seed), EVERYWHERE)
        active, voiced = clauses["entailment"][0]
        assert " was " in voiced
        assert " by the " in voiced
        _, turned = clauses["neutral"][0]
        assert voiced.split(" was ")[0] != turned.split(" was ")[0]
        assert active.startswith(turned.split(" was ")[0])
        assert all(("not" in p) != ("not" in h) for p, h in clauses["contradiction"])


def test_opposites_exclude_each_other():
    opposites = ({"clean", "dirty"}, {"tall", "short"}, {"rich", "poor"}, {"wet", "dry"})
    count = 0
    for seed in range(300):
        first, second = inference.opposites(Random(seed), EVERYWHERE)["contradiction"][0]
        qualities = {first.split(" was ")[1], second.split(" was ")[1]}
        count += qualities in opposites
        assert first.split(" was ")[0] == second.split(" was ")[0]
    assert count > 50
