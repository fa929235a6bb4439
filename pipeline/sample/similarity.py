"""STS-B: two captions whose score falls with every part that differs in meaning."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from pipeline.sample.examples import Example
from pipeline.sample.sentences import Event, a, another, draw_event, sentence

FULL_SCORE = 5.0
PENALTIES = {"verb": 1.6, "patient": 1.4, "agent": 1.2, "place": 0.8}
"""What another meaning of a part takes from the score; they add up to the full score."""
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
    second = _moved(first, distances, rng)
    texts = [_caption(first, rng), _caption(second, rng)]
    rng.shuffle(texts)
    return Example((texts[0], texts[1]), score)


def score_of(distances: dict[str, float]) -> float:
    """Similarity, 0 to 5, of two captions whose parts lie that far apart (0 to 1 each)."""
    loss = sum(PENALTIES[part] * distance for part, distance in distances.items())
    return round(max(FULL_SCORE - loss, 0.0), 2)


def _moved(event: Event, distances: dict[str, float], rng: Random) -> Event:
    """Another event, each part that far from the given one's; near 0, by other words."""
    other = draw_event(rng)
    while _share_a_part(event, other):
        other = draw_event(rng)
    nouns = {
        part: {0.0: noun.renamed, NEAR: another(rng, noun), 1.0: far}[distances[part]]
        for part, noun, far in (
            ("agent", event.agent, other.agent),
            ("patient", event.patient, other.patient),
        )
    }
    verbs = {0.0: event.verb.renamed, NEAR: event.verb.contrasted, 1.0: other.verb}
    place = other.place if distances["place"] else event.place
    return replace(event, verb=verbs[distances["verb"]], place=place, **nouns)


def _share_a_part(event: Event, other: Event) -> bool:
    return (
        event.agent.kind == other.agent.kind
        or event.patient.kind == other.patient.kind
        or event.place == other.place
        or event.verb.patients == other.verb.patients
        or other.verb.base in (event.verb.synonym, event.verb.contrast)
    )


def _caption(event: Event, rng: Random) -> str:
    agent, patient = a(event.agent), a(event.patient)
    if rng.random() < 0.7:
        return sentence(f"{agent} is {event.verb.ing} {patient}", event.place)
    return sentence(f"{patient} is being {event.verb.participle} by {agent}", event.place)
