"""Pairs of clauses related by quantifier, number or conjunction."""

from __future__ import annotations

from random import Random

from pipeline.data.sample import circumstances as words
from pipeline.data.sample.pairs import Clauses
from pipeline.data.sample.sentences import World, a, another, draw_event, the


def _predicate(rng: Random, world: World) -> tuple[str, str, str, str]:
    """Plural subject, what they did, the same in the infinitive, and one other subject."""
    event = draw_event(rng, world)
    tail = rng.choice(("", f" {event.place}", f" {event.time}"))
    target = a(event.patient) + tail
    return (
        event.agent.many,
        f"{event.verb.past} {target}",
        f"{event.verb.base} {target}",
        the(another(rng, event.agent)),
    )


def quantifiers(rng: Random, world: World) -> Clauses:
    """All, most, some, not all and none of a group."""
    group, did, do, _ = _predicate(rng, world)
    every, most, some, not_all, none = (
        f"{quantifier} of the {group} {did}"
        for quantifier in ("all", "most", "some", "not all", "none")
    )
    failing = f"at least one of the {group} did not {do}"
    without = f"there was no one among the {group} who {did}"
    return {
        "entailment": (
            (every, some),
            (every, most),
            (most, some),
            (none, not_all),
            (not_all, failing),
            (none, without),
        ),
        "neutral": ((some, every), (most, every), (some, most), (not_all, none), (failing, none)),
        "contradiction": (
            (every, none),
            (every, not_all),
            (none, some),
            (none, most),
            (not_all, every),
            (some, without),
        ),
    }


def numbers(rng: Random, world: World) -> Clauses:
    """Exact numbers and bounds."""
    group, did, _, _ = _predicate(rng, world)
    low, middle, high = (words.NUMBERS[i] for i in sorted(rng.sample(range(1, 10), 3)))

    def count(bound: str, number: str) -> str:
        return f"{bound} {number} {group} {did}"

    exact = count("exactly", middle)
    return {
        "entailment": (
            (exact, count("at least", low)),
            (exact, count("more than", low)),
            (exact, count("fewer than", high)),
            (count("at least", middle), count("more than", low)),
            (count("fewer than", middle), count("fewer than", high)),
            (count("only", middle), exact),
        ),
        "neutral": (
            (count("at least", middle), exact),
            (count("fewer than", high), exact),
            (count("at least", low), count("at least", middle)),
            (count("more than", low), count("more than", middle)),
            (count("fewer than", high), count("fewer than", middle)),
        ),
        "contradiction": (
            (exact, count("exactly", low)),
            (exact, count("more than", high)),
            (exact, count("fewer than", low)),
            (count("at least", middle), count("fewer than", low)),
            (count("fewer than", middle), count("at least", high)),
            (count("at least", high), count("only", middle)),
        ),
    }


def conjunctions(rng: Random, world: World) -> Clauses:
    """And, or, neither."""
    group, did, do, other = _predicate(rng, world)
    first = f"one of the {group}"
    one, not_one = f"{other} {did}", f"{other} did not {do}"
    both = f"{first} and {other} {did}"
    either = f"{first} or {other} {did}"
    neither = f"neither {other} nor any of the {group} {did}"
    return {
        "entailment": ((both, one), (one, either), (neither, not_one), (both, either)),
        "neutral": ((either, one), (one, both), (not_one, neither), (either, not_one)),
        "contradiction": (
            (neither, one),
            (one, neither),
            (both, not_one),
            (not_one, both),
            (neither, either),
        ),
    }
