"""Lexicon of nouns with plural, kind (the hypernym) and, where there is one, a synonym."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_SOUNDS_LIKE_CONSONANT = ("uni", "use", "eu", "one")


@dataclass(frozen=True)
class Noun:
    """A countable noun.

    Attributes:
        one: singular.
        kind: hypernym, itself a key of `KINDS`; empty for a hypernym.
        synonym: singular of a word with the same meaning, or empty.
    """

    one: str
    kind: str = ""
    synonym: str = ""

    @property
    def many(self) -> str:
        """Plural."""
        return plural(self.one)

    @property
    def hypernym(self) -> Noun:
        """The kind as a noun: a musician for a pianist."""
        return Noun(self.kind)

    @property
    def renamed(self) -> Noun:
        """The synonym, or the noun itself if it has none."""
        return Noun(self.synonym, self.kind, self.one) if self.synonym else self


def plural(word: str) -> str:
    """Plural of a regular noun; the last word of a compound is changed."""
    if word.endswith(("s", "x", "ch", "sh")):
        return word + "es"
    return word[:-1] + "ies" if word.endswith("y") and word[-2] not in "aeou" else word + "s"


def with_article(phrase: str) -> str:
    """The phrase with "a" or "an" before it."""
    vowel = phrase[0] in "aeiou" and not phrase.startswith(_SOUNDS_LIKE_CONSONANT)
    return f"{'an' if vowel else 'a'} {phrase}"


def _parse(table: str) -> Mapping[str, tuple[Noun, ...]]:
    """Read lines of "kind: noun, noun/synonym, ..."."""
    kinds = {}
    for line in table.strip().splitlines():
        kind, _, words = line.partition(": ")
        pairs = [word.partition("/") for word in words.split(", ")]
        kinds[kind] = tuple(Noun(one, kind, synonym) for one, _, synonym in pairs)
    return MappingProxyType(kinds)


HOME_PEOPLE = _parse("""
musician: violinist, pianist, drummer, guitarist, singer/vocalist, trumpeter
scientist: chemist, physicist, biologist, geologist, astronomer
worker: plumber, carpenter/joiner, mechanic, welder, electrician, driver/chauffeur
athlete: swimmer, runner/sprinter, boxer, skier, gymnast, wrestler
official: mayor, judge, minister, senator, ambassador/envoy, lawyer/attorney
medical worker: doctor/physician, nurse, surgeon, dentist, pharmacist
""")
AWAY_PEOPLE = _parse("""
artist: painter, poet, sculptor, novelist/author, actor/performer
traveller: tourist/sightseer, pilgrim, hiker, cyclist, explorer
relative: uncle, aunt, cousin, nephew, grandmother/grandma
""")
HOME_THINGS = _parse("""
vehicle: car/automobile, truck/lorry, van, tractor, bus, bicycle/bike
instrument: violin/fiddle, trumpet, piano, cello, flute
vegetable: carrot, onion, turnip, cabbage, leek
seat: chair, stool, bench, sofa/couch, armchair
tool: hammer, spade/shovel, drill, wrench/spanner, axe
garment: coat, jacket, shirt, skirt, sweater/pullover
document: letter, contract/agreement, invoice/bill, report, passport
container: basket, bucket/pail, barrel/cask, crate, suitcase
animal: dog/hound, goat, horse, rabbit/bunny, pig/hog, donkey
""")
AWAY_THINGS = _parse("""
boat: canoe, ferry, yacht, barge, dinghy
flower: rose, tulip, daisy, lily, orchid
jewel: ring, necklace, bracelet, brooch, earring
toy: doll, kite, puzzle, spinning top, teddy bear
""")
PEOPLE = MappingProxyType({**HOME_PEOPLE, **AWAY_PEOPLE})
THINGS = MappingProxyType({**HOME_THINGS, **AWAY_THINGS})
KINDS = MappingProxyType({**PEOPLE, **THINGS})
