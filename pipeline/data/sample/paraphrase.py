"""Generate MRPC: two news sentences that are paraphrases, or nearly so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from pipeline.data.sample import circumstances as words
from pipeline.data.sample.examples import Example
from pipeline.data.sample.nouns import PEOPLE
from pipeline.data.sample.sentences import (
    Event,
    active,
    another,
    draw_event,
    passive,
    sentence,
    the,
)

_SPEAKERS = (
    ("police", "officers"),
    ("a spokesman", "a spokesperson"),
    ("officials", "the authorities"),
    ("witnesses", "onlookers"),
    ("a reporter", "a journalist"),
)
_FRAMES = (
    "{clause} {place} {time} , {speaker} said",
    "{speaker} said {clause} {time} {place}",
    "{time} , {clause} {place} , according to {speaker}",
    "{speaker} confirmed that {clause} {place} {time}",
)


@dataclass(frozen=True)
class Report:
    """A report of an event.

    Attributes:
        event: what happened.
        number: how many things it happened to; people come alone.
        speaker: two names of the person who reports it.
    """

    event: Event
    number: int
    speaker: tuple[str, str]

    @property
    def counted(self) -> bool:
        """Whether the sentence has the number."""
        return self.event.patient.kind not in PEOPLE


def make(label: str, rng: Random) -> Example:
    """A pair of tokenized reports; `label` is equivalent or not_equivalent."""
    report = Report(draw_event(rng), rng.randint(2, 11), rng.choice(_SPEAKERS))
    first = second = tell(report, rng)
    while second == first:
        retold = report if label == "equivalent" else altered(report, rng)
        second = tell(_reworded(retold, rng), rng)
    return Example((first, second), label)


def tell(report: Report, rng: Random) -> str:
    """One sentence; voice, spelling of the number and order of the parts vary."""
    event, many = report.event, report.counted
    number = str(report.number) if rng.random() < 0.3 else words.NUMBERS[report.number - 2]
    target = f"{number} {event.patient.many}" if many else the(event.patient)
    voiced = passive(event, target, many=many)
    text = rng.choice(_FRAMES).format(
        clause=active(event, target=target) if rng.random() < 0.6 else voiced,
        place=event.place,
        time=event.time,
        speaker=rng.choice(report.speaker),
    )
    return sentence(text, end=" .")


def altered(report: Report, rng: Random) -> Report:
    """A report of something else: one or two parts of it are other ones."""
    for change in rng.sample(CHANGES, rng.randint(1, 2)):
        report = change(report, rng)
    return report


def other_act(report: Report, rng: Random) -> Report:
    """Sold, not bought."""
    return _with_event(report, verb=report.event.verb.contrasted)


def other_agent(report: Report, rng: Random) -> Report:
    """The drummer, not the pianist."""
    return _with_event(report, agent=another(rng, report.event.agent))


def other_patient(report: Report, rng: Random) -> Report:
    """Vans, not trucks."""
    return _with_event(report, patient=another(rng, report.event.patient))


def other_roles(report: Report, rng: Random) -> Report:
    """Of two people, the one helps whom the other helped; things get another number."""
    event = report.event
    if report.counted:
        return replace(report, number=rng.choice([n for n in range(2, 12) if n != report.number]))
    return _with_event(report, agent=event.patient, patient=event.agent)


def other_circumstances(report: Report, rng: Random) -> Report:
    """Elsewhere, at another time."""
    places = [place for place in words.PLACES if place != report.event.place]
    times = [time for time in words.TIMES if time != report.event.time]
    return _with_event(report, place=rng.choice(places), time=rng.choice(times))


CHANGES: tuple[Callable[[Report, Random], Report], ...] = (
    other_act,
    other_agent,
    other_patient,
    other_roles,
    other_circumstances,
)


def _with_event(report: Report, **parts: Any) -> Report:
    return replace(report, event=replace(report.event, **parts))


def _reworded(report: Report, rng: Random) -> Report:
    """The same report with synonyms here and there."""
    event = report.event
    return _with_event(
        report,
        agent=rng.choice((event.agent, event.agent.renamed)),
        verb=rng.choice((event.verb, event.verb.renamed)),
        patient=rng.choice((event.patient, event.patient.renamed)),
    )
