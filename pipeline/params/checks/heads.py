"""Check that heads fit their tasks, and that encoders keep the pooler that heads need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.params.checks.raw_values import Values, mapping, run, words
from pipeline.params.heads import KINDS
from pipeline.params.heads.base import Placed
from pipeline.tasks import GLUE


def find(values: Values) -> Iterator[str]:
    """One line for each head that does not fit its task."""
    sections = ["student", "teachers"]
    if mapping(values, "refinement", "candidates"):
        sections.insert(1, "refinement")
    for section in sections:
        for place in placed(values, section):
            yield from _check_fit(values, place)


def placed(values: Values, section: str) -> Iterator[Placed]:
    """The head of each task that a section trains on."""
    default, shared = mapping(values, section, "head"), f"{section}.head"
    for task, head, own in _own_heads(values, section):
        if isinstance(task, str):
            labels = _labels(values, task)
            yield Placed(task, labels, head or default, own if head else shared, own)


def _own_heads(values: Values, section: str) -> Iterator[tuple[Any, Mapping[Any, Any], str]]:
    """Every task with its own head, {} for none, and the YAML path of it."""
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
    """The fault that teachers need a pooler and the candidate keeps none; "" if there is none."""
    heads = list(placed(values, "refinement"))
    if not heads or pools(values, "refinement") or not pools(values, "teachers"):
        return ""
    pooling = [f"{place.where}.pooling=pooler" for place in heads if "pooling" in place.head]
    fix = run(pooling[0]) if pooling else heads[0].replaced(_linear("pooler"))
    return (
        "teachers pool by the encoder's pooler, but no head under refinement does, so the "
        f"candidate keeps none; {fix}"
    )


def _check_fit(values: Values, place: Placed) -> Iterator[str]:
    kind = place.head.get("kind")
    settings = KINDS.get(kind) if isinstance(kind, str) else None
    texts, classes = shape(values, place.task)
    if settings is None or not texts:  # reported as faults of their own
        return
    if lack := settings.lack(texts, classes):
        fix = place.replaced(_linear("mean"))
        yield f"{place.where}: head {kind} does not fit {place.task}, which {lack}; {fix}"
    else:
        yield from settings.faults(place)


def _labels(values: Values, task: str) -> tuple[str, ...]:
    if task in GLUE:
        return GLUE[task].labels
    return tuple(words(values, "tasks", task, "custom", "labels"))


def _linear(pooling: str) -> str:
    return f"kind: linear, pooling: {pooling}, dropout: 0.1"
