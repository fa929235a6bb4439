"""The key of a training run: a SHA-256 of whatever decides what it ends with, but for the code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

from pipeline import fingerprints

if TYPE_CHECKING:
    from pipeline.finetuning import Recipe, Teachers
    from pipeline.learning.internals import Matcher
    from pipeline.learning.objective import TrainingSet
    from pipeline.machine import Machine
    from pipeline.models.model import MultiTaskModel

_LIBRARIES = ("torch", "transformers", "numpy")


def of(
    recipe: Recipe,
    network: MultiTaskModel,
    sets: Mapping[str, TrainingSet],
    matcher: Matcher | None,
    teachers: Teachers,
    chosen: Machine,
) -> str:
    """The key, in hex: only a run with the same one may go on from another's snapshots.

    Args:
        recipe: all settings.
        network: with its first weights.
        sets: training rows by task.
        matcher: with its first weights.
        teachers: models whose inner states are matched, by task.
        chosen: device, precision, engine, shards; threads do not matter.
    """
    config = network.encoder.config.to_dict()
    config.pop("_name_or_path", None)  # this machine's
    return fingerprints.of(
        {
            "name": recipe.name,
            "recipe": recipe.describe(),
            "encoder": json.dumps(config, sort_keys=True, default=str),
            "weights": network.state_dict(),
            "matcher": {} if matcher is None else matcher.state_dict(),
            "teachers": {task: loaded.card["weights_sha256"] for task, loaded in teachers.items()},
            "rows": {name: _rows(rows) for name, rows in sets.items()},
            "machine": [chosen.chip, chosen.precision, chosen.engine, chosen.shards],
            "libraries": {name: version(name) for name in _LIBRARIES},
        }
    )


def _rows(rows: TrainingSet) -> list[object]:
    texts = None if rows.negatives is None else rows.negatives.texts
    return [rows.tokens, rows.labels, rows.targets, rows.known, texts]
