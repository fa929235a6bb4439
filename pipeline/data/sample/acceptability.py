"""Generate CoLA: grammatical sentences, and the same with one rule broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from pipeline.data.sample import circumstances as words
from pipeline.data.sample.examples import Example
from pipeline.data.sample.nouns import PEOPLE, with_article
from pipeline.data.sample.sentences import Event, a, draw_event, draw_quality, sentence, the

Construction = Callable[[Random, Event], tuple[str, str]]
"""Draws a well-formed sentence and its ill-formed twin."""


def make(label: str, rng: Random) -> Example:
    """One sentence; `label` is acceptable or unacceptable."""
    construction = rng.choices(list(CONSTRUCTIONS), list(CONSTRUCTIONS.values()))[0]
    good, bad = construction(rng, draw_event(rng))
    return Example((good if label == "acceptable" else bad,), label)


def subject_agreement(rng: Random, event: Event) -> tuple[str, str]:
    """The verb agrees with the head of the subject, not with the noun next to it."""
    many = rng.random() < 0.5
    neighbour = draw_event(rng).patient
    head = event.agent.many if many else event.agent.one
    subject = f"the {head} beside the {neighbour.one if many else neighbour.many}"
    right, wrong = event.verb.base, event.verb.third
    verbs = (right, wrong) if many else (wrong, right)
    return _both(subject, verbs, f"{a(event.patient)} every day")


def determiner_agreement(rng: Random, event: Event) -> tuple[str, str]:
    """This car, these cars."""
    many = rng.random() < 0.5
    one, several = rng.choice((("this", "these"), ("that", "those"), ("each", "several")))
    noun = event.patient.many if many else event.patient.one
    determiners = (several, one) if many else (one, several)
    return _both(f"{the(event.agent)} {event.verb.past}", determiners, f"{noun} {event.place}")


def adjective_order(rng: Random, event: Event) -> tuple[str, str]:
    """The adjective comes before its noun."""
    quality, _ = draw_quality(rng, event.patient)
    right = with_article(f"{quality} {event.patient.one}")
    wrong = f"{a(event.patient)} {quality}"
    subject = f"{the(event.agent)} {event.verb.past}"
    return _both(subject, (right, wrong), rng.choice((event.place, event.time)))


def verb_order(rng: Random, event: Event) -> tuple[str, str]:
    """Subject, verb, object."""
    subject, verb, target = the(event.agent), event.verb.past, a(event.patient)
    wrong = rng.choice((f"{subject} {target} {verb}", f"{verb} {subject} {target}"))
    return _both("", (f"{subject} {verb} {target}", wrong), rng.choice((event.place, event.time)))


def auxiliaries(rng: Random, event: Event) -> tuple[str, str]:
    """Each auxiliary needs its own form of the verb."""
    verb = event.verb
    right, wrong = rng.choice(
        (
            (f"did not {verb.base}", f"did not {verb.past}"),
            (f"will {verb.base}", f"will {verb.ing}"),
            (f"is {verb.ing}", f"is {verb.base}"),
            (f"has {verb.participle}", f"has {verb.base}"),
            (f"must {verb.base}", f"must {verb.third}"),
        )
    )
    return _both(the(event.agent), (right, wrong), f"{a(event.patient)} {event.place}")


def questions(rng: Random, event: Event) -> tuple[str, str]:
    """The auxiliary comes first, and the thing asked for leaves a gap."""
    subject, verb = the(event.agent), event.verb
    who = "who" if event.patient.kind in PEOPLE else "what"
    asked = rng.choice((who, f"which {event.patient.one}"))
    right = f"did {subject} {verb.base}"
    wrong = rng.choice((f"{subject} did {verb.base}", f"{right} {a(event.patient)}"))
    return _both(asked, (right, wrong), event.place, end="?")


def reflexives(rng: Random, event: Event) -> tuple[str, str]:
    """A reflexive agrees with its subject."""
    subject, right = rng.choice(
        (
            (rng.choice(words.WOMEN), "herself"),
            (rng.choice(words.MEN), "himself"),
            (f"the {event.agent.many}", "themselves"),
        )
    )
    wrong = rng.choice([form for form in ("herself", "himself", "themselves") if form != right])
    verb = rng.choice(("admired", "hurt", "introduced", "defended", "photographed", "blamed"))
    return _both(f"{subject} {verb}", (right, wrong), rng.choice((event.place, event.time)))


def transitivity(rng: Random, event: Event) -> tuple[str, str]:
    """Some verbs take no object."""
    verb = rng.choice(("arrived", "slept", "laughed", "vanished", "sneezed", "hesitated"))
    patient = the(event.patient)
    return _both(f"{the(event.agent)} {verb}", (f"beside {patient}", patient), event.time)


def polarity(rng: Random, event: Event) -> tuple[str, str]:
    """Any and ever need a negation above them."""
    some, done, many = event.verb.past, event.verb.participle, event.patient.many
    right, wrong = rng.choice(
        (
            (f"did not {event.verb.base} any {many}", f"{some} any {many}"),
            (f"has never {done} any {many}", f"has ever {done} these {many}"),
            (f"{some} some {many}", f"did {some} not any {many}"),
        )
    )
    return _both(the(event.agent), (right, wrong), event.place)


def relatives(rng: Random, event: Event) -> tuple[str, str]:
    """A relative clause has one gap, and the main clause its own verb."""
    verb = rng.choice(("greeted", "met", "praised", "admired"))
    right = f"{verb} {event.verb.past} {a(event.patient)}"
    wrong = rng.choice((f"{verb} her {event.verb.past} {a(event.patient)}", verb))
    who = f"{the(event.agent)} that {the(draw_event(rng).agent)}"
    return _both(who, (right, wrong), event.time)


def complements(rng: Random, event: Event) -> tuple[str, str]:
    """Each verb needs its own kind of complement."""
    verb, infinitive = event.verb, f"to {event.verb.base}"
    right, wrong = rng.choice(
        (
            (f"wants {infinitive}", f"wants {verb.ing}"),
            (f"hopes {infinitive}", f"hopes {verb.base}"),
            (f"enjoys {verb.ing}", f"enjoys {infinitive}"),
            (f"avoids {verb.ing}", f"avoids {verb.base}"),
        )
    )
    return _both(the(event.agent), (right, wrong), f"{a(event.patient)} {event.place}")


def existentials(rng: Random, event: Event) -> tuple[str, str]:
    """There is one, there are several."""
    many = rng.random() < 0.5
    noun = f"{rng.choice(words.NUMBERS)} {event.patient.many}" if many else a(event.patient)
    one, several = rng.choice((("is", "are"), ("was", "were"), ("has been", "have been")))
    verbs = (several, one) if many else (one, several)
    return _both("there", verbs, f"{noun} {event.place}")


def passives(rng: Random, event: Event) -> tuple[str, str]:
    """A passive has a form of "be", a participle and "by"."""
    agent, participle = the(event.agent), event.verb.participle
    wrong = (f"was {event.verb.base} by {agent}", f"{participle} by {agent}")
    right = f"was {participle} by {agent}"
    return _both(the(event.patient), (right, rng.choice(wrong)), event.time)


CONSTRUCTIONS: Mapping[Construction, int] = {
    verb_order: 4,
    transitivity: 4,
    polarity: 4,
    relatives: 4,
    questions: 3,
    passives: 2,
    adjective_order: 2,
    complements: 1,
    auxiliaries: 1,
    reflexives: 1,
    subject_agreement: 1,
    determiner_agreement: 1,
    existentials: 1,
}
"""How often each occurs: word order is what a small encoder can learn from few rows."""


def _both(before: str, forms: tuple[str, str], after: str, end: str = ".") -> tuple[str, str]:
    right, wrong = forms
    return sentence(before, right, after, end=end), sentence(before, wrong, after, end=end)
