"""Generate MNLI, RTE and the diagnostic set: premises and hypotheses."""

from __future__ import annotations

from random import Random

from pipeline.data.sample.examples import Example
from pipeline.data.sample.inference import (
    attitudes,
    hypernyms,
    modifiers,
    opposites,
    retellings,
    voices,
)
from pipeline.data.sample.pairs import Phenomenon
from pipeline.data.sample.quantities import conjunctions, numbers, quantifiers
from pipeline.data.sample.sentences import (
    AWAY,
    EVERYWHERE,
    HOME,
    World,
    active,
    draw_event,
    sentence,
)

PHENOMENA: tuple[Phenomenon, ...] = (
    retellings,
    hypernyms,
    modifiers,
    voices,
    opposites,
    attitudes,
    quantifiers,
    numbers,
    conjunctions,
)


def matched(label: str, rng: Random) -> Example:
    """MNLI's train and matched rows; `label` is one of its three classes."""
    return _pair(label, rng, HOME)


def mismatched(label: str, rng: Random) -> Example:
    """MNLI's mismatched rows: the same grammar, other people, things and places."""
    return _pair(label, rng, AWAY)


def diagnostic(label: str, rng: Random) -> Example:
    """A pair from the whole lexicon."""
    return _pair(label, rng, EVERYWHERE)


def news(label: str, rng: Random) -> Example:
    """RTE's rows: the premise is in a short report, and there are two classes."""
    entailed = label == "entailment"
    relation = label if entailed else rng.choice(("neutral", "neutral", "neutral", "contradiction"))
    phenomenon = retellings if rng.random() < 0.75 else rng.choice(PHENOMENA)
    premise, hypothesis = rng.choice(phenomenon(rng, EVERYWHERE)[relation])
    return Example((_report(premise, rng), sentence(hypothesis)), label)


def _pair(label: str, rng: Random, world: World) -> Example:
    premise, hypothesis = rng.choice(rng.choice(PHENOMENA)(rng, world)[label])
    return Example((sentence(premise), sentence(hypothesis)), label)


_SOURCES = (
    "according to the local paper,",
    "as the radio reported,",
    "witnesses confirmed that",
    "the town council announced that",
    "",
)


def _report(premise: str, rng: Random) -> str:
    """The premise with its source; in half of the rows with other news."""
    report = [sentence(rng.choice(_SOURCES), premise)]
    if rng.random() < 0.5:
        event = draw_event(rng)
        report.insert(rng.randrange(2), sentence(active(event), event.place, event.time))
    return " ".join(report)
