"""Generate QNLI: a question about a building, and a sentence that answers it or does not."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from pipeline.data.sample import circumstances as words
from pipeline.data.sample.examples import Example

_KINDS = (
    "Bridge", "Museum", "Theatre", "Lighthouse", "Library", "Mill", "Observatory", "Chapel",
    "Hospital", "Railway Station",
)  # fmt: skip
_MATERIALS = ("granite", "red brick", "oak", "sandstone", "marble", "iron", "concrete")
_DISASTERS = ("flood", "fire", "storm", "landslide", "lightning strike")
_PURPOSES = (
    "to replace a wooden one", "to bring more visitors to the region", "to honour a late king",
    "to give work to the poor", "to celebrate the end of a war", "to serve a growing harbour",
)  # fmt: skip

_STATEMENTS = {
    "designer": "was designed by {designer}",
    "year": "was opened in {year}",
    "town": "stands in {town}",
    "price": "cost {price} crowns to build",
    "material": "is built of {material}",
    "visitors": "draws {visitors} people a year",
    "disaster": "was badly damaged by a {disaster} in {later}",
    "purpose": "was founded {purpose}",
}
_QUESTIONS = {
    "designer": ("Who designed the {name}?", "Which architect drew the plans of the {name}?"),
    "year": ("When was the {name} opened?", "In what year did the {name} open?"),
    "town": ("Where does the {name} stand?", "In which town is the {name}?"),
    "price": ("How much did the {name} cost?", "What was the price of the {name}?"),
    "material": ("What is the {name} built of?", "Which material is the {name} made of?"),
    "visitors": ("How many people does the {name} draw?", "How many visitors has the {name}?"),
    "disaster": ("What damaged the {name}?", "Which disaster struck the {name}?"),
    "purpose": ("Why was the {name} founded?", "For what reason was the {name} established?"),
}
_FRAMES = (
    "The {name} {0}.",
    "The {name} {0} and {1}.",
    "The {name}, which {0}, {1}.",
)


@dataclass(frozen=True)
class Building:
    """A building and facts about it, by aspect."""

    name: str
    facts: dict[str, str]


def make(label: str, rng: Random) -> Example:
    """A question and a sentence; `label` is entailment if the sentence holds the answer."""
    building = subject = _draw(rng)
    aspect, *others = rng.sample(list(_STATEMENTS), 3)
    if label == "entailment":
        others[0] = aspect
    elif rng.random() < 0.6:
        while subject.name == building.name:
            subject = _draw(rng)
        others[0] = rng.choice((aspect, others[0]))  # the wrong building, its right aspect at times
    question = rng.choice(_QUESTIONS[aspect]).format(name=building.name)
    return Example((question, tell(subject, others, rng)), label)


def tell(building: Building, aspects: list[str], rng: Random) -> str:
    """One sentence with one or two of the aspects, the first one always among them."""
    frame = rng.choice(_FRAMES)
    stated = aspects[: 2 if "{1}" in frame else 1]
    rng.shuffle(stated)
    clauses = [_STATEMENTS[aspect].format_map(building.facts) for aspect in stated]
    return frame.format(*clauses, name=building.name)


def _draw(rng: Random) -> Building:
    year = rng.randint(1700, 1950)
    first, last = rng.choice(words.WOMEN + words.MEN), rng.choice(words.SURNAMES)
    facts = {
        "designer": f"{first} {last}",
        "year": str(year),
        "later": str(year + rng.randint(2, 60)),
        "town": rng.choice(words.TOWNS),
        "price": f"{rng.randint(20, 900)},000",
        "material": rng.choice(_MATERIALS),
        "visitors": f"{rng.randint(2, 99)},500",
        "disaster": rng.choice(_DISASTERS),
        "purpose": rng.choice(_PURPOSES),
    }
    return Building(f"{rng.choice(words.SURNAMES)} {rng.choice(_KINDS)}", facts)
