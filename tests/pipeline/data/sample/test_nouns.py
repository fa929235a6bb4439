"""Forms of nouns.

Run: pytest tests/pipeline/data/sample/test_nouns.py
"""

from __future__ import annotations

import pytest

from pipeline.data.sample.nouns import KINDS, Noun, plural, with_article


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("car", "cars"),
        ("ferry", "ferries"),
        ("toy", "toys"),
        ("bus", "buses"),
        ("bench", "benches"),
        ("axe", "axes"),
        ("medical worker", "medical workers"),
        ("spinning top", "spinning tops"),
    ],
)
def test_plural(one, many):
    assert plural(one) == many


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [("car", "a car"), ("old car", "an old car"), ("uncle", "an uncle"), ("unit", "a unit")],
)
def test_with_article(phrase, expected):
    assert with_article(phrase) == expected


def test_a_noun_knows_its_kind_and_its_synonym():
    car = KINDS["vehicle"][0]
    assert (car.one, car.hypernym.one, car.renamed.one) == ("car", "vehicle", "automobile")
    assert car.renamed.renamed.one == "car"
    assert Noun("van", "vehicle").renamed.one == "van"


def test_no_word_stands_for_two_nouns():
    names = [name for kind in KINDS.values() for n in kind for name in (n.one, n.synonym) if name]
    assert len(set(names)) == len(names)
    assert not set(names) & set(KINDS)
