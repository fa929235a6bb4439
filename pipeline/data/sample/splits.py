"""Draw a task's splits: distinct rows, balanced labels, some of train's labels wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

from pipeline.data.sample import (
    acceptability,
    answers,
    entailment,
    paraphrase,
    questions,
    reference,
    sentiment,
    similarity,
    text_traps,
)
from pipeline.data.sample.examples import Example, Maker
from pipeline.data.sample.random_streams import stream
from pipeline.errors import DataError
from pipeline.params.sources.sample import Sample
from pipeline.tasks import Task

MAKERS: Mapping[str, Maker] = {
    "cola": acceptability.make,
    "sst2": sentiment.make,
    "mrpc": paraphrase.make,
    "stsb": similarity.make,
    "qqp": questions.make,
    "mnli": entailment.matched,
    "qnli": answers.make,
    "rte": entailment.news,
    "wnli": reference.make,
}
_OTHER_MAKERS: Mapping[tuple[str, str], Maker] = {
    ("mnli", "dev_mismatched"): entailment.mismatched,
    ("mnli", "test_mismatched"): entailment.mismatched,
    ("mnli", "ax"): entailment.diagnostic,
}
_TRIES = 2000  # draws for one row before the grammar counts as exhausted


def draw(task: Task, settings: Sample) -> dict[str, list[Example]]:
    """All splits of a task.

    No text occurs in two splits and no row twice. Test and diagnostic rows have their true labels
    here; the files leave them out.

    Raises:
        DataError: the grammar does not have so many distinct sentences.
    """
    owners: dict[str, str] = {}
    splits = {}
    for split in task.rows:
        rng = stream(settings.seed, task.name, split)
        rows = _draw_rows(task, split, settings.rows(task, split), owners, rng)
        splits[split] = text_traps.marked(rows, text_traps.QUIRKS.get((task.name, split), ()), rng)
    noise = stream(settings.seed, task.name, "noise")
    splits["train"] = mislabelled(splits["train"], task, settings.label_noise, noise)
    return splits


def mislabelled(rows: list[Example], task: Task, share: float, rng: Random) -> list[Example]:
    """The rows, a share of them with a wrong label (a wrong score is at least 2 off)."""
    result = list(rows)
    for row in rng.sample(range(len(rows)), round(share * len(rows))):
        result[row] = replace(rows[row], label=_wrong(rows[row].label, task, rng))
    return result


def _wrong(label: str | float, task: Task, rng: Random) -> str | float:
    if isinstance(label, float):
        return round(label + 2 if label < (task.low + task.high) / 2 else label - 2, 2)
    return rng.choice([other for other in task.labels if other != label])


def _draw_rows(
    task: Task, split: str, number: int, owners: dict[str, str], rng: Random
) -> list[Example]:
    """Draw rows whose texts no other split owns, and enter them in `owners`."""
    maker = _OTHER_MAKERS.get((task.name, split), MAKERS[task.name])
    rows: dict[tuple[str, ...], Example] = {}
    for label in _balanced(task, number, rng):
        for _ in range(_TRIES):
            example = maker(label, rng)
            free = all(owners.get(text, split) == split for text in example.texts)
            if free and example.texts not in rows:
                break
        else:
            raise DataError(
                f"the sample grammar has no more distinct sentences for {task.name}",
                seen=f"{number} rows of {split}",
                where="data.sample in params.yaml",
                fix="ask for fewer rows",
            )
        rows[example.texts] = example
        owners.update(dict.fromkeys(example.texts, split))
    return list(rows.values())


def _balanced(task: Task, number: int, rng: Random) -> list[str]:
    """Equally many labels of each class, or of each whole score, in random order."""
    scores = [str(score) for score in range(int(task.low), int(task.high) + 1)]
    classes = task.labels or scores
    labels = [classes[row % len(classes)] for row in range(number)]
    rng.shuffle(labels)
    return labels
