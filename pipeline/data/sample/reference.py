"""Generate WNLI: a pronoun with two possible referents, and a claim about one of them."""

from __future__ import annotations

from random import Random

from pipeline.data.sample import circumstances as words
from pipeline.data.sample.examples import Example
from pipeline.data.sample.sentences import sentence

_SCHEMAS = (
    ("{a} lent {b} a tent because {he}", "had two of them", "had left one at home"),
    ("{a} overtook {b} on the hill because {he}", "was full of strength", "was out of breath"),
    ("{a} did not hear {b} because {he}", "was wearing headphones", "was only whispering"),
    ("{a} apologized to {b} because {he}", "had broken a promise", "had been kept waiting"),
    ("{a} taught {b} to drive since {he}", "was a patient teacher", "wanted to learn it"),
    ("{a} went to see {b} in hospital after {he}", "had heard the news", "had broken an arm"),
    ("{a} hid from {b} because {he}", "was afraid", "was looking for a fight"),
    ("{a} asked {b} for the way because {he}", "was a stranger in town", "lived in that street"),
    ("{a} carried {b} home because {he}", "was strong enough", "had hurt a foot"),
    ("{a} lost the game against {b} because {he}", "made a silly mistake", "played without fault"),
    ("{a} gave {b} more pay because {he}", "was a fair employer", "had worked so hard"),
    ("{a} did not reply to {b} because {he}", "was too busy", "had written a rude letter"),
    ("{a} sold {b} an old clock because {he}", "was short of money", "collected such things"),
    ("{a} saw little of the play behind {b} since {he}", "was so small", "wore a huge hat"),
    ("{a} woke {b} at night because {he}", "needed some help", "was snoring loudly"),
    ("{a} waited long for {b} although {he}", "was in a hurry", "was late as always"),
    ("{a} rang at the door of {b} because {he}", "could not sleep", "was playing the drums"),
    ("{a} shared the sandwich with {b} because {he}", "was not very hungry", "had no food left"),
    ("{a} paid the fine for {b} as {he}", "had plenty of money", "had parked in the wrong place"),
    ("{a} followed {b} through the fog because {he}", "did not know the path", "had a lamp"),
    ("{a} refused to fly with {b} because {he}", "was scared of heights", "was a reckless pilot"),
    ("{a} translated the speech for {b} since {he}", "spoke the language", "understood nothing"),
    ("{a} let {b} have the seat because {he}", "could stand for an hour", "looked very tired"),
    ("{a} trusted {b} with the keys even though {he}", "was a careful person", "lost everything"),
)
"""Beginning, then a clause true of the first person, then one true of the second."""


def make(label: str, rng: Random) -> Example:
    """A sentence and a claim; `label` is entailment if the claim names the pronoun's owner."""
    names, pronoun = rng.choice(((words.WOMEN, "she"), (words.MEN, "he")))
    owner_first = rng.random() < 0.5
    pair = rng.sample(names, 2)
    beginning, of_first, of_second = rng.choice(_SCHEMAS)
    owner, other = pair if owner_first else reversed(pair)
    claim = of_first if owner_first else of_second
    text = beginning.format(a=pair[0], b=pair[1], he=pronoun)
    named = owner if label == "entailment" else other
    return Example((sentence(text, claim), sentence(named, claim)), label)
