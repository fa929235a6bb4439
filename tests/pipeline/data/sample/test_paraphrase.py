"""Paraphrases of reports and questions.

Run: pytest tests/pipeline/data/sample/test_paraphrase.py
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from pipeline.data.sample import paraphrase, questions
from pipeline.data.sample.circumstances import NUMBERS
from pipeline.data.sample.nouns import KINDS, PEOPLE
from pipeline.data.sample.verbs import VERBS

SPEAKERS = {"officers": "police", "spokesperson": "spokesman", "authorities": "officials",
            "onlookers": "witnesses", "journalist": "reporter"}  # fmt: skip
FUNCTION_WORDS = {"the", "a", "an", ",", ".", "was", "were", "by", "said", "according", "to",
                  "confirmed", "that"}  # fmt: skip


def one_name_for_each_meaning() -> dict[str, str]:
    names = dict(SPEAKERS)
    for nouns in KINDS.values():
        for noun in nouns:
            names |= dict.fromkeys((noun.many, noun.renamed.one, noun.renamed.many), noun.one)
    for verb in VERBS.values():
        main = min(verb.base, verb.synonym)
        names |= dict.fromkeys((verb.base, verb.past, verb.participle), main)
    return names | {number: str(n) for n, number in enumerate(NUMBERS, start=2)}


NAMES = one_name_for_each_meaning()
PEOPLE_NAMES = {noun.one for nouns in PEOPLE.values() for noun in nouns}


def meaning(text: str) -> set[str]:
    """Content words, each by one name, whatever their order."""
    words = text.lower().split()
    return {NAMES.get(word, word) for word in words} - FUNCTION_WORDS


def test_equivalent_reports_have_one_meaning():
    for seed in range(200):
        first, second = paraphrase.make("equivalent", Random(seed)).texts
        assert first != second
        assert meaning(first) == meaning(second), (first, second)


def test_other_reports_differ_in_words_or_roles():
    roles = 0
    for seed in range(300):
        first, second = paraphrase.make("not_equivalent", Random(seed)).texts
        if meaning(first) == meaning(second):
            roles += 1
            assert meaning(first) & PEOPLE_NAMES == meaning(second) & PEOPLE_NAMES
            assert len(meaning(first) & PEOPLE_NAMES) == 2
    assert 0 < roles < 60


@pytest.fixture
def report(event):
    return paraphrase.Report(event, 3, ("police", "officers"))


@pytest.mark.parametrize(
    "text",
    [
        "The violinist bought three cars at the market on Monday , police said .",
        "Officers said three cars were bought by the violinist on Monday at the market .",
        "On Monday , 3 cars were bought by the violinist at the market , according to police .",
        "Police confirmed that the violinist bought 3 cars at the market on Monday .",
    ],
)
def test_tellings_of_one_report(report, text):
    assert text in {paraphrase.tell(report, Random(seed)) for seed in range(400)}


@pytest.mark.parametrize("change", paraphrase.CHANGES, ids=lambda change: change.__name__)
def test_every_change_changes_the_meaning(report, change):
    person = replace(report, event=replace(report.event, patient=KINDS["athlete"][0]))
    for seed in range(20):
        for event in (report, person):
            changed = change(event, Random(seed))
            assert changed != event
            assert changed.speaker == event.speaker


def test_roles_of_people_are_exchanged(report):
    person = replace(report, event=replace(report.event, patient=KINDS["athlete"][0]))
    changed = paraphrase.other_roles(person, Random(0)).event
    assert (changed.agent.one, changed.patient.one) == ("swimmer", "violinist")


QUESTION = questions.Question(
    "cost", VERBS["buy"], "cheap", KINDS["vehicle"][0], ("abroad", "in a foreign country")
)


@pytest.mark.parametrize(
    "text",
    [
        "How much does it cost to buy a cheap car abroad?",
        "How expensive is it to buy a cheap car in a foreign country?",
        "What do I have to pay to buy a cheap car abroad?",
    ],
)
def test_wordings_of_one_question(text):
    assert text in {questions.ask(QUESTION, Random(seed)) for seed in range(100)}


def test_an_altered_question_asks_for_something_else():
    kinds = set()
    for seed in range(100):
        other = questions.altered(QUESTION, Random(seed))
        parts = {p for p in vars(other) if getattr(other, p) != getattr(QUESTION, p)}
        assert 1 <= len(parts) <= 2
        kinds |= parts
    assert kinds == {"intent", "verb", "noun", "circumstance"}


@pytest.mark.parametrize("label", ["duplicate", "not_duplicate"])
def test_pairs_of_questions_differ_in_words(label):
    for seed in range(100):
        first, second = questions.make(label, Random(seed)).texts
        assert first != second
        assert first.endswith("?")
        assert second.endswith("?")
