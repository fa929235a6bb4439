"""The key of a training run: a SHA-256 of everything that decides its result, except the code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

from pipeline.runtime import hashing

if TYPE_CHECKING:
    from pipeline.model.multitask import MultiTaskModel
    from pipeline.runtime.hardware import Hardware
    from pipeline.training.losses.features import FeatureLoss
    from pipeline.training.losses.objective import TrainingSet
    from pipeline.training.recipe import Recipe, Teachers

_LIBRARIES = ("torch", "transformers", "numpy")


def digest(
    recipe: Recipe,
    network: MultiTaskModel,
    sets: Mapping[str, TrainingSet],
    feature_loss: FeatureLoss | None,
    teachers: Teachers,
    machine: Hardware,
) -> str:
    """The key, in hex: only a run with the same one may go on from another's checkpoints.

    Args:
        recipe: all settings.
        network: with its first weights.
        sets: training rows by task.
        feature_loss: with its first weights.
        teachers: models whose features are matched, by task.
        machine: device, precision, engine, shards, tokens of a scoring pass; threads do not
            matter.
    """
    config = network.encoder.config.to_dict()
    config.pop("_name_or_path", None)  # this machine's
    return hashing.digest(
        {
            "name": recipe.name,
            "recipe": recipe.describe(),
            "encoder": json.dumps(config, sort_keys=True, default=str),
            "weights": network.state_dict(),
            "feature_loss": {} if feature_loss is None else feature_loss.state_dict(),
            "teachers": {
                task: loaded.manifest["weights_sha256"] for task, loaded in teachers.items()
            },
            "rows": {name: _rows(rows) for name, rows in sets.items()},
            "machine": [
                machine.chip,
                machine.precision,
                machine.engine,
                machine.shards,
                machine.labelling_tokens,
            ],
            "libraries": {name: version(name) for name in _LIBRARIES},
        }
    )


def _rows(rows: TrainingSet) -> list[object]:
    texts = None if rows.extra_pairs is None else rows.extra_pairs.texts
    return [rows.tokens, rows.labels, rows.targets, rows.known, texts, rows.dev]
