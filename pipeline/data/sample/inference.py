"""Pairs of clauses related by hypernym, modifier, voice, opposite or attitude, also negated."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from pipeline.data.sample.nouns import PEOPLE, with_article
from pipeline.data.sample.pairs import Clauses
from pipeline.data.sample.sentences import (
    Event,
    World,
    a,
    active,
    another,
    draw_event,
    draw_noun,
    draw_quality,
    passive,
    the,
)


def hypernyms(rng: Random, world: World) -> Clauses:
    """A pianist is a musician; under "no" the direction turns round."""
    event = draw_event(rng, world)
    tail = _tail(rng, event)

    def tell(article: str, event: Event) -> str:
        return active(event, f"{article} {event.agent.one}" if article else a(event.agent)) + tail

    general = replace(event, agent=event.agent.hypernym, patient=event.patient.hypernym)
    sister = tell("", replace(event, patient=another(rng, event.patient)))
    some, some_kind = tell("", event), tell("", general)
    no, no_kind = tell("no", event), tell("no", general)
    return {
        "entailment": ((some, some_kind), (no_kind, no)),
        "neutral": ((some_kind, some), (no, no_kind), (some, sister)),
        "contradiction": ((some, no_kind), (no_kind, some), (no, some)),
    }


def retellings(rng: Random, world: World) -> Clauses:
    """Paraphrases with less detail; or the same claim about others."""
    event = draw_event(rng, world)
    premise = f"{active(event)} {event.place} {event.time}"
    again = replace(
        event,
        agent=event.agent.renamed,
        verb=event.verb.renamed,
        patient=event.patient.renamed,
    )
    others = replace(event, agent=draw_event(rng, world).agent, verb=event.verb.renamed)
    while others.agent.kind == event.agent.kind:
        others = replace(others, agent=draw_event(rng, world).agent)
    things = replace(others, patient=another(rng, event.patient), place=rng.choice(world.places))
    tail = rng.choice(("", f" {event.place}"))
    return {
        "entailment": ((premise, active(again) + tail), (premise, passive(again) + tail)),
        "neutral": (
            (premise, active(others) + tail),
            (premise, passive(others) + tail),
            (premise, f"{active(things)} {things.place}"),
        ),
        "contradiction": (
            (premise, active(again, denied=True) + tail),
            (premise, passive(again, denied=True) + tail),
            (f"{active(event, denied=True)} {event.place}", f"{active(again)} {event.place}"),
        ),
    }


def modifiers(rng: Random, world: World) -> Clauses:
    """Leaving a detail out keeps a statement true, adding one does not; denied, it turns round."""
    event = draw_event(rng, world)
    quality, _ = draw_quality(rng, event.patient)
    full_target = with_article(f"{quality} {event.patient.one}")
    detail = f" {rng.choice((event.place, event.time))}"
    less, not_less = active(event), active(event, denied=True)
    more = active(event, target=full_target) + detail
    not_more = active(event, target=full_target, denied=True) + detail
    return {
        "entailment": ((more, less), (not_less, not_more)),
        "neutral": ((less, more), (not_more, not_less)),
        "contradiction": ((more, not_less), (not_less, more)),
    }


def voices(rng: Random, world: World) -> Clauses:
    """Active and passive mean the same; changing the roles does not."""
    event = draw_event(rng, world)
    while event.patient.kind not in PEOPLE:
        event = draw_event(rng, world)
    tail = _tail(rng, event)
    swapped = replace(event, agent=event.patient, patient=event.agent)
    act, act_not, voiced, voiced_not = _voices(event, tail)
    _, _, turned, turned_not = _voices(swapped, tail)
    return {
        "entailment": ((act, voiced), (voiced, act), (act_not, voiced_not), (voiced_not, act_not)),
        "neutral": ((act, turned), (act_not, turned_not), (act, turned_not), (act_not, turned)),
        "contradiction": (
            (act, voiced_not),
            (voiced, act_not),
            (act_not, voiced),
            (voiced_not, act),
        ),
    }


def opposites(rng: Random, world: World) -> Clauses:
    """What is clean is not dirty, and may be cheap."""
    kinds = rng.choice((world.people, world.things))
    noun = draw_noun(rng, kinds)
    quality, opposite = draw_quality(rng, noun)
    other, other_opposite = quality, opposite
    while other in (quality, opposite):
        other, other_opposite = draw_quality(rng, noun)
    subject = f"the {noun.one} {rng.choice(world.places)}"
    first, second = f"{subject} was {quality}", f"{subject} was {opposite}"
    not_first, not_second = f"{subject} was not {quality}", f"{subject} was not {opposite}"
    return {
        "entailment": ((first, not_second), (f"{first} and {other}", first)),
        "neutral": (
            (first, f"{subject} was {other}"),
            (first, f"{subject} was not {other_opposite}"),
            (not_second, f"{subject} was {other}"),
        ),
        "contradiction": ((first, second), (first, not_first), (f"{first} and {other}", second)),
    }


_DONE = ("managed to", "remembered to", "hastened to")
_NOT_DONE = ("failed to", "refused to", "forgot to")
_OPEN = ("wanted to", "planned to", "promised to")


def attitudes(rng: Random, world: World) -> Clauses:
    """Who manages does; who refuses does not; who wants may or may not."""
    event = draw_event(rng, world)
    tail = _tail(rng, event)

    def intend(attitudes: tuple[str, ...]) -> str:
        target = a(event.patient) + tail
        return f"{the(event.agent)} {rng.choice(attitudes)} {event.verb.base} {target}"

    did, did_not = active(event) + tail, active(event, denied=True) + tail
    done, not_done, open_ = intend(_DONE), intend(_NOT_DONE), intend(_OPEN)
    return {
        "entailment": ((done, did), (not_done, did_not)),
        "neutral": ((open_, did), (open_, did_not), (did_not, open_)),
        "contradiction": ((done, did_not), (not_done, did), (did, not_done), (did_not, done)),
    }


def _tail(rng: Random, event: Event) -> str:
    return rng.choice(("", f" {event.place}", f" {event.time}"))


def _voices(event: Event, tail: str) -> tuple[str, str, str, str]:
    """Active, active denied, passive, passive denied."""
    agent, patient = the(event.agent), the(event.patient)
    return (
        active(event, agent, patient) + tail,
        active(event, agent, patient, denied=True) + tail,
        passive(event, patient, agent) + tail,
        passive(event, patient, agent, denied=True) + tail,
    )
