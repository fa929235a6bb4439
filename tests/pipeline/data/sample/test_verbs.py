"""Forms of verbs.

Run: pytest tests/pipeline/data/sample/test_verbs.py
"""

from __future__ import annotations

import pytest

from pipeline.data.sample.nouns import KINDS
from pipeline.data.sample.verbs import VERBS


@pytest.mark.parametrize(
    ("base", "third", "past", "participle", "ing"),
    [
        ("buy", "buys", "bought", "bought", "buying"),
        ("carry", "carries", "carried", "carried", "carrying"),
        ("hide", "hides", "hid", "hidden", "hiding"),
        ("choose", "chooses", "chose", "chosen", "choosing"),
        ("fix", "fixes", "fixed", "fixed", "fixing"),
        ("teach", "teaches", "taught", "taught", "teaching"),
        ("employ", "employs", "employed", "employed", "employing"),
        ("examine", "examines", "examined", "examined", "examining"),
        ("dismiss", "dismisses", "dismissed", "dismissed", "dismissing"),
    ],
)
def test_forms(base, third, past, participle, ing):
    verb = VERBS[base]
    assert (verb.third, verb.past, verb.participle, verb.ing) == (third, past, participle, ing)


def test_relations():
    assert VERBS["buy"].renamed is VERBS["purchase"]
    assert VERBS["purchase"].renamed is VERBS["buy"]
    assert VERBS["buy"].contrasted is VERBS["sell"]
    assert VERBS["sell"].contrasted is VERBS["buy"]
    assert VERBS["sell"].renamed is VERBS["sell"]


def test_every_kind_of_object_has_nouns():
    assert {kind for verb in VERBS.values() for kind in verb.patients} <= set(KINDS)
