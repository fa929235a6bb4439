"""Generate STS-B: two captions whose score falls with every part that differs in meaning."""

from __future__ import annotations

from random import Random

from pipeline.data.sample import circumstances as words
from pipeline.data.sample.examples import Example
from pipeline.data.sample.nouns import KINDS, PEOPLE, Noun
from pipeline.data.sample.sentences import Event, a, another, draw_event, draw_noun, sentence
from pipeline.data.sample.verbs import VERBS, Verb

FULL_SCORE = 5.0
PENALTIES = {"verb": 1.6, "patient": 1.4, "agent": 1.2, "place": 0.8}
"""Points that a part of another meaning costs; they add up to the full score."""
NEAR = 0.5
"""Share of the penalty when the part is only near: another noun of the kind, a contrast."""


def make(wanted: str, rng: Random) -> Example:
    """A pair whose score, rounded, is `wanted`, "0" to "5"."""
    while True:
        distances = {part: rng.choice((0.0, NEAR, 1.0)) for part in PENALTIES}
        distances["place"] = float(distances["place"] > 0)  # places have no kinds
        score = score_of(distances)
        if round(score) == int(wanted):
            break
    first = draw_event(rng)
    while len(first.verb.patients) < 2:  # there must be a noun of another kind to change to
        first = draw_event(rng)
    second = _moved(first, distances, rng)
    texts = [_caption(first, rng), _caption(second, rng)]
    while texts[0] == texts[1]:
        texts = [_caption(first, rng), _caption(second, rng)]
    rng.shuffle(texts)
    return Example(tuple(texts), score)


def score_of(distances: dict[str, float]) -> float:
    """Similarity, 0 to 5, of two captions whose parts are that far apart (0 to 1 each)."""
    loss = sum(PENALTIES[part] * distance for part, distance in distances.items())
    return round(max(FULL_SCORE - loss, 0.0), 2)


def _moved(event: Event, distances: dict[str, float], rng: Random) -> Event:
    """Another event, each part at its distance from the first's; at 0 in other words."""
    kept = distances["verb"] < 1
    patients = event.verb.patients if kept else tuple(KINDS)
    patient = _noun(event.patient, distances["patient"], patients, rng)
    verb = event.verb.renamed if distances["verb"] == 0 else event.verb.contrasted
    agent = _noun(event.agent, distances["agent"], tuple(PEOPLE), rng)
    return Event(
        agent=agent,
        verb=verb if kept else _other_verb(event.verb, patient, rng),
        patient=patient,
        place=_other_place(event, rng) if distances["place"] else event.place,
        time=event.time,
    )


def _noun(noun: Noun, distance: float, kinds: tuple[str, ...], rng: Random) -> Noun:
    """A synonym, a noun of the same kind, or one of another of the kinds."""
    if distance == 0:
        return noun.renamed
    if distance < 1:
        return another(rng, noun)
    return draw_noun(rng, [kind for kind in kinds if kind != noun.kind])


def _other_verb(verb: Verb, patient: Noun, rng: Random) -> Verb:
    """A verb that can be done to the patient and has nothing to do with the first one."""
    return rng.choice(
        [
            other
            for other in VERBS.values()
            if patient.kind in other.patients and not _family(other) & _family(verb)
        ]
    )


def _family(verb: Verb) -> set[str]:
    return {verb.base, verb.synonym, verb.contrast}


def _other_place(event: Event, rng: Random) -> str:
    return rng.choice([place for place in words.PLACES if place != event.place])


def _caption(event: Event, rng: Random) -> str:
    agent, patient = a(event.agent), a(event.patient)
    if rng.random() < 0.7:
        return sentence(f"{agent} is {event.verb.ing} {patient}", event.place)
    return sentence(f"{patient} is being {event.verb.participle} by {agent}", event.place)
