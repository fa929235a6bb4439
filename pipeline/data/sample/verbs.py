"""Lexicon of transitive verbs: forms, synonym, contrast, and kinds of their objects."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pipeline.data.sample.nouns import PEOPLE, THINGS


@dataclass(frozen=True)
class Verb:
    """A transitive verb.

    Attributes:
        base: infinitive.
        past: simple past.
        participle: past participle.
        synonym: infinitive of a verb with the same meaning.
        contrast: infinitive of a verb for another act upon the same things.
        patients: kinds of nouns that can be the object.
    """

    base: str
    past: str
    participle: str
    synonym: str
    contrast: str
    patients: tuple[str, ...]

    @property
    def third(self) -> str:
        """Third person singular, present tense."""
        if self.base.endswith(("ch", "sh", "ss", "x")):
            return self.base + "es"
        return self.base[:-1] + "ies" if _ends_in_y(self.base) else self.base + "s"

    @property
    def ing(self) -> str:
        """Present participle."""
        if self.base in _DOUBLED:
            return self.base + self.base[-1] + "ing"
        silent = self.base.endswith("e") and not self.base.endswith("ee")
        return (self.base[:-1] if silent else self.base) + "ing"

    @cached_property
    def renamed(self) -> Verb:
        """The verb with the same meaning."""
        return VERBS[self.synonym]

    @cached_property
    def contrasted(self) -> Verb:
        """The verb for another act."""
        return VERBS[self.contrast]


_DOUBLED = ("get", "drop")
_THINGS, _PEOPLE = " ".join(THINGS), " ".join(kind.replace(" ", "_") for kind in PEOPLE)

# forms of a verb | of its synonym | of its contrast | kinds of the object
_TABLE = f"""
buy bought | purchase | sell sold | {_THINGS}
find found | discover | lose lost | {_THINGS}
choose chose chosen | select | reject | {_THINGS}
hide hid hidden | conceal | display | {_THINGS}
inspect | examine | ignore | {_THINGS}
destroy | wreck | restore | vehicle seat instrument boat toy
repair | fix | damage | vehicle seat instrument tool boat toy
clean | wash | stain | vehicle seat garment container boat
carry | haul | abandon | container seat tool boat
send sent | dispatch | receive | document garment container flower
demand | request | refuse | document vehicle instrument jewel tool
feed fed | nourish | neglect | animal
help | assist | hinder | {_PEOPLE}
praise | commend | criticize | {_PEOPLE}
hire | employ | dismiss | {_PEOPLE}
rescue | save | endanger | {_PEOPLE} animal
greet | welcome | insult | {_PEOPLE}
follow | pursue | lead led | {_PEOPLE} animal
teach taught | instruct | deceive | {_PEOPLE}
meet met | encounter | avoid | {_PEOPLE}
"""


def _ends_in_y(base: str) -> bool:
    return base.endswith("y") and base[-2] not in "aeou"


def _regular_past(base: str) -> str:
    if base.endswith("e"):
        return base + "d"
    return base[:-1] + "ied" if _ends_in_y(base) else base + "ed"


def _verb(forms: str, synonym: str, contrast: str, patients: tuple[str, ...]) -> Verb:
    base, *past = forms.split(" ")
    past = past or [_regular_past(base)]
    return Verb(base, past[0], past[-1], synonym, contrast, patients)


def _parse(table: str) -> dict[str, Verb]:
    verbs: dict[str, Verb] = {}
    for line in table.strip().splitlines():
        main, synonym, contrast, kinds = (cell.strip() for cell in line.split("|"))
        first, second, third = (forms.split(" ")[0] for forms in (main, synonym, contrast))
        patients = tuple(kind.replace("_", " ") for kind in kinds.split(" "))
        verbs[first] = _verb(main, second, third, patients)
        verbs[second] = _verb(synonym, first, third, patients)
        verbs[third] = _verb(contrast, third, first, patients)
    return verbs


VERBS = _parse(_TABLE)
"""Every verb by its infinitive."""
