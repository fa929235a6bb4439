"""Put characters that break careless readers into a few texts, where GLUE's own files have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from types import MappingProxyType

from pipeline.data.sample.examples import Example


@dataclass(frozen=True)
class Quirk:
    """A mark and how often it occurs.

    Attributes:
        mark: what takes the place of one space, or follows the text if `at_end`.
        share: share of the split's rows; at least one row has it.
        at_end: whether the mark goes behind the text's last character.
    """

    mark: str
    share: float = 0.0
    at_end: bool = False


_LONE_QUOTE = Quirk(' "', 0.04)
_SPACED_QUOTE = Quirk(' " ', 0.05)
_DOUBLE_SPACE = Quirk("  ", 0.03)
_FINAL_SPACE = Quirk(" ", 0.05, at_end=True)
_NO_BREAK_SPACE = Quirk("\u00a0")
_SOFT_HYPHEN = Quirk(" \u00ad")
_BACKSPACE = Quirk("\u0008 ")
_DEVICE_CONTROL = Quirk("\u0012 ")
_WRONG_ELLIPSIS = Quirk("\u0085 ")  # Windows' "..." read as Latin-1; str.splitlines breaks there
_BYTE_ORDER_MARKS = Quirk(" \ufeff\ufeff\ufeff")
_ZERO_WIDTH_SPACE = Quirk("\u200b ")

QUIRKS: Mapping[tuple[str, str], tuple[Quirk, ...]] = MappingProxyType(
    {
        ("cola", "train"): (_BACKSPACE,),
        ("mrpc", "train"): (_SPACED_QUOTE,),
        ("mrpc", "dev"): (_SPACED_QUOTE,),
        ("mrpc", "test"): (_SPACED_QUOTE,),
        ("stsb", "train"): (_LONE_QUOTE, _DEVICE_CONTROL),
        ("stsb", "dev"): (_LONE_QUOTE,),
        ("stsb", "test"): (_LONE_QUOTE,),
        ("qqp", "train"): (_DOUBLE_SPACE, _FINAL_SPACE, _ZERO_WIDTH_SPACE),
        ("qqp", "dev"): (_DOUBLE_SPACE, _FINAL_SPACE),
        ("mnli", "train"): (_LONE_QUOTE, _DOUBLE_SPACE, _FINAL_SPACE, _SOFT_HYPHEN),
        ("mnli", "dev_matched"): (_LONE_QUOTE, _FINAL_SPACE, _NO_BREAK_SPACE),
        ("mnli", "dev_mismatched"): (_LONE_QUOTE, _DOUBLE_SPACE, _FINAL_SPACE),
        ("mnli", "ax"): (_DOUBLE_SPACE,),
        ("qnli", "train"): (_LONE_QUOTE,),
        ("qnli", "dev"): (_LONE_QUOTE, _BYTE_ORDER_MARKS),
        ("qnli", "test"): (_LONE_QUOTE,),
        ("rte", "train"): (_LONE_QUOTE, _WRONG_ELLIPSIS),
        ("rte", "dev"): (_LONE_QUOTE,),
        ("rte", "test"): (_LONE_QUOTE, _NO_BREAK_SPACE, _SOFT_HYPHEN),
        ("wnli", "train"): (_LONE_QUOTE,),
    }
)
"""Marks of each task's split."""


def marked(examples: list[Example], quirks: tuple[Quirk, ...], rng: Random) -> list[Example]:
    """The examples, some texts of which have a mark; no row has two."""
    counts = [max(1, round(quirk.share * len(examples))) for quirk in quirks]
    rows = iter(rng.sample(range(len(examples)), sum(counts)))
    result = list(examples)
    for quirk, count in zip(quirks, counts, strict=True):
        for _ in range(count):
            row = next(rows)
            result[row] = _mark(result[row], quirk, rng)
    return result


def _mark(example: Example, quirk: Quirk, rng: Random) -> Example:
    texts = list(example.texts)
    side = rng.randrange(len(texts))
    texts[side] = _put(texts[side], quirk, rng)
    return replace(example, texts=tuple(texts))


def _put(text: str, quirk: Quirk, rng: Random) -> str:
    if quirk.at_end:
        return text + quirk.mark
    gap = rng.choice([place for place, letter in enumerate(text) if letter == " "])
    return text[:gap] + quirk.mark + text[gap + 1 :]
