"""Heads that do not fit their tasks, or what the encoder keeps for them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pipeline.params.checks import messages
from pipeline.params.checks.raw_values import Values, mapping, run, words
from pipeline.params.heads import right_by_spelling
from pipeline.params.yaml_text import shown
from pipeline.tasks import GLUE


class Placed(NamedTuple):
    """The head that a task gets in one section.

    Attributes:
        task: its name.
        head: settings as they are written.
        where: key under which they are written.
        own: key under which this task alone gets a head; it may be `where`.
    """

    task: str
    head: Mapping[Any, Any]
    where: str
    own: str

    def replaced(self, settings: str) -> str:
        """The command that gives the task another head of its own."""
        # Without the first, the old head's keys would stay beside the new one's.
        gone = [f"~{self.own}"] if self.where == self.own else []
        return run(*gone, f"++{self.own}={{{settings}}}")


def find(values: Values) -> Iterator[str]:
    """One line for each head that does not fit its task."""
    sections = ["student", "teachers"]
    if mapping(values, "refinement", "candidates"):
        sections.insert(1, "refinement")
    for section in sections:
        for place in placed(values, section):
            yield from _fit(values, place)


def placed(values: Values, section: str) -> Iterator[Placed]:
    """The head of each task that a section trains on."""
    default, shared = mapping(values, section, "head"), f"{section}.head"
    for task, head, own in _own_heads(values, section):
        if isinstance(task, str):
            yield Placed(task, head or default, own if head else shared, own)


def _own_heads(values: Values, section: str) -> Iterator[tuple[Any, Mapping[Any, Any], str]]:
    """Every task with the head that it alone has, {} for none, and the key of it."""
    if section == "teachers":
        for task, settings in mapping(values, "teachers", "tasks").items():
            yield task, mapping(settings, "head"), f"teachers.tasks.{task}.head"
    else:
        for task in mapping(values, "tasks"):
            yield task, mapping(values, section, "heads", task), f"{section}.heads.{task}"


def shape(values: Values, task: str) -> tuple[int, int]:
    """Texts a row and number of classes (0 for scores); (0, 0) if the task is not known."""
    if task in GLUE:
        return 1 + GLUE[task].pair, len(GLUE[task].labels)
    custom = mapping(values, "tasks", task, "custom")
    if not isinstance(labels := custom.get("labels"), list):
        return 0, 0
    return 1 + (custom.get("sentence2") is not None), len(labels)


def pools(values: Values, section: str) -> bool:
    """Whether a task's head in a section pools by the encoder's own pooler."""
    return any(place.head.get("pooling") == "pooler" for place in placed(values, section))


def pooler_lost(values: Values) -> str:
    """Why teachers cannot start from a candidate: it keeps no pooler, and they need one; or ""."""
    heads = list(placed(values, "refinement"))
    if not heads or pools(values, "refinement") or not pools(values, "teachers"):
        return ""
    pooling = [f"{place.where}.pooling=pooler" for place in heads if "pooling" in place.head]
    fix = run(pooling[0]) if pooling else heads[0].replaced(_linear("pooler"))
    return (
        "teachers pool by the encoder's pooler, but no head under refinement does, so the "
        f"candidate keeps none; {fix}"
    )


def _fit(values: Values, place: Placed) -> Iterator[str]:
    kind = place.head.get("kind")
    if lack := _lack(kind, *shape(values, place.task)):
        fix = place.replaced(_linear("mean"))
        yield f"{place.where}: head {kind} does not fit {place.task}, which {lack}; {fix}"
    elif kind == "ranking":
        yield from _right_class(values, place)


def _lack(kind: Any, texts: int, classes: int) -> str:
    """What a task lacks for a kind of head; "" if nothing, or if it is not known."""
    if kind not in ("san", "ranking") or not texts:
        return ""
    if texts == 1:
        return "has one text a row, not two"
    if classes == 0:
        return "has scores, not classes"
    if kind == "ranking" and classes != 2:
        return f"has {classes} classes, not two"
    return ""


def _right_class(values: Values, place: Placed) -> Iterator[str]:
    """What keeps a ranking head from knowing the class of right answers."""
    labels, right = _labels(values, place.task), place.head.get("positive")
    if len(labels) != 2 or not (right is None or isinstance(right, str)):  # faults of their own
        return
    guess = labels[right_by_spelling(labels) or 0]
    fix = f"if it is {guess}: {_named(place, guess)}"
    if right is None and place.task not in GLUE and right_by_spelling(labels) is None:
        yield (
            f"{place.where}: head ranking needs `positive`, the class of right answers of "
            f"{place.task}, {' or '.join(labels)}; {fix}"
        )
    elif right is not None and right not in labels:
        yield (
            f"{place.where}.positive: {place.task} has no class {right}, only "
            f"{' and '.join(labels)}{messages.near(right, labels)}; {fix}"
        )


def _labels(values: Values, task: str) -> tuple[str, ...]:
    if task in GLUE:
        return GLUE[task].labels
    return tuple(words(values, "tasks", task, "custom", "labels"))


def _named(place: Placed, label: str) -> str:
    """The command that names the class of right answers, for this task alone."""
    word = json.dumps(label, ensure_ascii=False)  # quoted, as a class may be called 1 or null
    if place.where == place.own:
        return run(f"++{place.own}.positive={word}")
    rest = {key: value for key, value in place.head.items() if key != "positive"}
    return place.replaced(f"{shown(rest)[1:-1]}, positive: {word}")


def _linear(pooling: str) -> str:
    return f"kind: linear, pooling: {pooling}, dropout: 0.1"
