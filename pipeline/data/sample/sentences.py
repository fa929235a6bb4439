"""Draw events, and write sentences about them: active, passive, negated."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from pipeline.data.sample import circumstances as words
from pipeline.data.sample.nouns import (
    AWAY_PEOPLE,
    AWAY_THINGS,
    HOME_PEOPLE,
    HOME_THINGS,
    KINDS,
    PEOPLE,
    THINGS,
    Noun,
    with_article,
)
from pipeline.data.sample.verbs import VERBS, Verb


@dataclass(frozen=True)
class World:
    """The part of the lexicon that sentences are about.

    Attributes:
        people: kinds of people in it.
        things: kinds of other nouns in it.
        places: phrases for a place.
    """

    people: tuple[str, ...]
    things: tuple[str, ...]
    places: tuple[str, ...]


HOME = World(tuple(HOME_PEOPLE), tuple(HOME_THINGS), words.HOME_PLACES)
AWAY = World(tuple(AWAY_PEOPLE), tuple(AWAY_THINGS), words.AWAY_PLACES)
_VERBS = tuple(VERBS.values())
EVERYWHERE = World(tuple(PEOPLE), tuple(THINGS), words.PLACES)


@dataclass(frozen=True)
class Event:
    """Who did what to whom, where and when."""

    agent: Noun
    verb: Verb
    patient: Noun
    place: str
    time: str


def draw_event(rng: Random, world: World = EVERYWHERE) -> Event:
    """An event of the world; agent and patient are of different kinds."""
    kinds: list[str] = []
    while not kinds:
        verb = rng.choice(_VERBS)
        agent = draw_noun(rng, world.people)
        there = (*world.people, *world.things)
        kinds = [kind for kind in verb.patients if kind in there and kind != agent.kind]
    place, time = rng.choice(world.places), rng.choice(words.TIMES)
    return Event(agent, verb, draw_noun(rng, kinds), place, time)


def draw_noun(rng: Random, kinds: list[str] | tuple[str, ...]) -> Noun:
    """A noun of one of the kinds."""
    return rng.choice(KINDS[rng.choice(kinds)])


def another(rng: Random, noun: Noun) -> Noun:
    """Another noun of the same kind, not a synonym either."""
    same = (noun.one, noun.synonym)
    return rng.choice([other for other in KINDS[noun.kind] if other.one not in same])


def draw_quality(rng: Random, noun: Noun) -> tuple[str, str]:
    """A quality that the noun can have, and its opposite."""
    person = noun.kind in PEOPLE or noun.one in PEOPLE
    pairs = words.PEOPLE_QUALITIES if person else words.THING_QUALITIES
    quality, opposite = rng.choice(pairs)
    return (quality, opposite) if rng.random() < 0.5 else (opposite, quality)


def active(event: Event, subject: str = "", target: str = "", *, denied: bool = False) -> str:
    """Subject, verb in the past, object; without place and time."""
    verb = f"did not {event.verb.base}" if denied else event.verb.past
    return f"{subject or the(event.agent)} {verb} {target or a(event.patient)}"


def passive(
    event: Event, subject: str = "", agent: str = "", *, many: bool = False, denied: bool = False
) -> str:
    """The same in the passive voice, with the patient first; `many`: a plural subject."""
    was = ("were" if many else "was") + (" not" if denied else "")
    agent = agent or the(event.agent)
    return f"{subject or a(event.patient)} {was} {event.verb.participle} by {agent}"


def the(noun: Noun) -> str:
    """The noun with the definite article."""
    return f"the {noun.one}"


def a(noun: Noun) -> str:
    """The noun with the indefinite article."""
    return with_article(noun.one)


def sentence(*parts: str, end: str = ".") -> str:
    """Join the parts that are not empty, with a capital at the start and a stop at the end."""
    text = " ".join(part for part in parts if part)
    return text[0].upper() + text[1:] + end
