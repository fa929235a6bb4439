"""Graded similarity.

Run: pytest tests/pipeline/data/sample/test_similarity.py
"""

from __future__ import annotations

from random import Random

import pytest

from pipeline.data.sample import similarity
from pipeline.data.sample.circumstances import PLACES

SAME = {"verb": 0.0, "patient": 0.0, "agent": 0.0, "place": 0.0}


@pytest.mark.parametrize(
    ("distances", "score"),
    [
        ({}, 5.0),
        ({"place": 1.0}, 4.2),
        ({"verb": 0.5}, 4.2),
        ({"verb": 1.0}, 3.4),
        ({"patient": 0.5, "agent": 0.5}, 3.7),
        ({"patient": 1.0, "agent": 1.0, "place": 1.0}, 1.6),
        ({"verb": 1.0, "patient": 1.0, "agent": 1.0, "place": 1.0}, 0.0),
    ],
)
def test_score_of(distances, score):
    assert similarity.score_of({**SAME, **distances}) == score


def place_of(text: str) -> str:
    return next(place for place in PLACES if text.endswith(f"{place}."))


@pytest.mark.parametrize("score", ["0", "1", "2", "3", "4", "5"])
def test_score_is_the_wanted_one_and_texts_differ(score):
    for seed in range(40):
        example = similarity.make(score, Random(seed))
        first, second = example.texts
        assert round(example.label) == int(score)
        assert first != second
        if score == "0":
            assert place_of(first) != place_of(second)
        if example.label == 5.0:
            assert place_of(first) == place_of(second)


def test_only_synonyms_and_voice_differ_at_full_score(monkeypatch, event):
    monkeypatch.setattr(similarity, "draw_event", lambda rng: event)
    active = "A violinist is {} a{} at the market."
    passive = "A{} is being {} by a violinist at the market."
    allowed = {
        form
        for verb, participle in (("buying", "bought"), ("purchasing", "purchased"))
        for car in (" car", "n automobile")
        for form in (active.format(verb, car), passive.format(car, participle))
    }
    examples = [similarity.make("5", Random(seed)) for seed in range(200)]
    full = [example for example in examples if example.label == 5.0]
    assert full
    assert {text for example in full for text in example.texts} <= allowed
    assert all(len(set(example.texts)) == 2 for example in full)


def test_contrast_and_other_kinds_are_farther(event):
    far = {"verb": 0.5, "patient": 1.0, "agent": 0.5, "place": 1.0}
    for seed in range(50):
        other = similarity._moved(event, far, Random(seed))
        assert other.verb.base == "sell"
        assert other.patient.kind in event.verb.patients
        assert other.patient.kind != "vehicle"
        assert other.agent.kind == "musician"
        assert other.agent.one != "violinist"
        assert other.place != "at the market"
