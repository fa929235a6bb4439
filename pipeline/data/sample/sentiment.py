"""Generate SST-2: judgements of films, with degree, negation and contrast."""

from __future__ import annotations

from random import Random

from pipeline.data.sample.examples import Example

_TOPICS = (
    "the film", "the plot", "the script", "the acting", "the dialogue", "the soundtrack",
    "this comedy", "this thriller", "the ending", "the opening scene", "the camera work",
    "the sequel", "the cast", "the story", "this documentary", "the humour", "the direction",
    "the costume design", "the lead performance", "the romance",
)  # fmt: skip
_GOOD = (
    "brilliant", "moving", "charming", "clever", "fresh", "gripping", "graceful", "funny",
    "delightful", "inventive", "touching", "elegant", "convincing", "lively", "memorable",
    "tender", "superb", "sharp", "warm", "thoughtful",
)  # fmt: skip
_BAD = (
    "dull", "clumsy", "tedious", "stale", "shallow", "boring", "lifeless", "silly", "awful",
    "predictable", "muddled", "ugly", "pretentious", "bland", "sloppy", "hollow", "tiresome",
    "dreadful", "forced", "grating",
)  # fmt: skip
_DEGREES = ("very", "truly", "rather", "utterly", "quite", "deeply", "consistently", "so", "")
_PRAISE = ("a joy", "a triumph", "a treat", "a small miracle", "time well spent", "a success")
_BLAME = ("a chore", "a failure", "a bore", "a sad waste", "time badly spent", "a mess")
_NEGATIONS = (
    "{x} is not {d} {w}", "{x} is never {w}", "{x} is anything but {w}", "{x} is far from {w}",
    "no one could call {x} {w}", "{x} fails to be {d} {w}", "hardly anything about {x} is {w}",
    "{x} is by no means {d} {w}",
)  # fmt: skip
_PLAIN = (
    "{x} is {d} {w}", "{x} turns out to be {d} {w}", "everything about {x} is {w}",
    "i found {x} {d} {w}", "nobody will deny that {x} is {w}", "{x} feels {d} {w}",
    "no other word than {w} fits {x}", "{x} never stops being {w}",
)  # fmt: skip
_CONTRASTS = ("{weak} , but {strong}", "although {weak} , {strong}", "{strong} , even if {weak}")


def make(label: str, rng: Random) -> Example:
    """One lower-case, tokenized judgement; `label` is positive or negative."""
    good = label == "positive"
    shape = rng.random()
    first, second = rng.sample(_TOPICS, 2)
    if shape < 0.55:
        text = _clause(first, good, rng)
    elif shape < 0.75:
        strong, weak = _whole(first, good, rng), _clause(second, not good, rng)
        text = rng.choice(_CONTRASTS).format(strong=strong, weak=weak)
    else:
        text = f"{_clause(first, good, rng)} , and {_clause(second, good, rng)}"
    return Example((text + rng.choice((" .", " !", "")),), label)


def _clause(topic: str, good: bool, rng: Random) -> str:
    """A judgement of one side of the film, by a plain word or by a negated opposite."""
    negated = rng.random() < 0.2
    word = rng.choice(_GOOD if good != negated else _BAD)
    frame = rng.choice(_NEGATIONS if negated else _PLAIN)
    return frame.format(x=topic, d=rng.choice(_DEGREES), w=word).replace("  ", " ")


def _whole(topic: str, good: bool, rng: Random) -> str:
    """The judgement that weighs more: by noun, denied or not, or as any clause."""
    if rng.random() < 0.5:
        return _clause(topic, good, rng)
    negated = rng.random() < 0.2
    noun = rng.choice(_PRAISE if good != negated else _BLAME)
    return f"the whole is {'anything but' if negated else 'in the end'} {noun}"
