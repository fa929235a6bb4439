"""Generate QQP: two questions that ask for the same, or for something near it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from pipeline.data.sample.examples import Example
from pipeline.data.sample.nouns import THINGS, Noun, with_article
from pipeline.data.sample.sentences import draw_noun, draw_quality
from pipeline.data.sample.verbs import VERBS, Verb

_INTENTS = {
    "how": (
        "How can I {do}?",
        "What is the best way to {do}?",
        "How do you {do}?",
        "Is there an easy way to {do}?",
        "What do I have to do if I want to {do}?",
    ),
    "where": (
        "Where can I {do}?",
        "What is the best place to {do}?",
        "Which place would you suggest if I want to {do}?",
        "Is there a good place to {do}?",
    ),
    "why": (
        "Why do people {do}?",
        "What is the reason people {do}?",
        "What makes people {do}?",
        "Why would anyone {do}?",
    ),
    "cost": (
        "How much does it cost to {do}?",
        "How expensive is it to {do}?",
        "What do I have to pay to {do}?",
        "How much money do I need to {do}?",
    ),
    "when": (
        "When should I {do}?",
        "What is the best time to {do}?",
        "What is the right moment to {do}?",
        "At what time of the year is it best to {do}?",
    ),
}
_CIRCUMSTANCES = (
    ("alone", "without any help"),
    ("without much money", "on a low budget"),
    ("abroad", "in a foreign country"),
    ("in winter", "during the winter months"),
    ("as a beginner", "with no experience"),
    ("as a student", "while still at college"),
    ("at home", "in one's own house"),
    ("very quickly", "in a short time"),
)
_SAME_QUALITY = {
    "cheap": "inexpensive",
    "expensive": "costly",
    "new": "brand-new",
    "large": "big",
    "small": "little",
}
_VERBS = tuple(verb for verb in VERBS.values() if len(THINGS.keys() & set(verb.patients)) > 1)


@dataclass(frozen=True)
class Question:
    """The content of a question, apart from its wording."""

    intent: str
    verb: Verb
    quality: str
    noun: Noun
    circumstance: tuple[str, str]


def make(label: str, rng: Random) -> Example:
    """A pair of questions; `label` is duplicate or not_duplicate."""
    question = _draw(rng)
    first = second = ask(question, rng)
    while second == first:
        asked = question if label == "duplicate" else altered(question, rng)
        second = ask(_reworded(asked, rng), rng)
    return Example((first, second), label)


def ask(question: Question, rng: Random) -> str:
    """One wording of the question."""
    target = with_article(f"{question.quality} {question.noun.one}")
    do = f"{question.verb.base} {target} {rng.choice(question.circumstance)}"
    return rng.choice(_INTENTS[question.intent]).format(do=do)


def altered(question: Question, rng: Random) -> Question:
    """A question with one or two parts that ask for something else."""
    others: dict[str, Any] = {
        "intent": rng.choice([intent for intent in _INTENTS if intent != question.intent]),
        "verb": question.verb.contrasted,
        "noun": draw_noun(rng, _kinds(question.verb, question.noun)),
        "circumstance": rng.choice([c for c in _CIRCUMSTANCES if c != question.circumstance]),
    }
    parts = rng.sample(list(others), rng.choice((1, 2, 2)))
    return replace(question, **{part: others[part] for part in parts})


def _kinds(verb: Verb, but: Noun | None = None) -> list[str]:
    """Kinds of things that the verb can be done to, without that of one noun."""
    return [kind for kind in verb.patients if kind in THINGS and (not but or kind != but.kind)]


def _draw(rng: Random) -> Question:
    verb = rng.choice(_VERBS)
    noun = draw_noun(rng, _kinds(verb))
    quality, _ = draw_quality(rng, noun)
    intent = rng.choice(list(_INTENTS))
    return Question(intent, verb, quality, noun, rng.choice(_CIRCUMSTANCES))


def _reworded(question: Question, rng: Random) -> Question:
    return replace(
        question,
        verb=rng.choice((question.verb, question.verb.renamed)),
        quality=_SAME_QUALITY.get(question.quality, question.quality),
        noun=rng.choice((question.noun, question.noun.renamed)),
    )
