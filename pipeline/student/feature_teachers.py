"""Link and load feature teachers: one member's models, whose features the student matches."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pipeline import paths
from pipeline.data import rows
from pipeline.errors import SavedModelError
from pipeline.model import saved_model
from pipeline.params.sections import Params
from pipeline.runtime import artifacts
from pipeline.stage_registry import remake
from pipeline.training.recipe import Teachers

MANIFEST = "teachers.json"  # names these models; {} if params.yaml has none
_MANIFEST = paths.FEATURE_TEACHERS / MANIFEST


def write(params: Params) -> None:
    """Link the models of distillation.features.member to data/feature_teachers/, one per task.

    Of a cross-fitted member the model of the first fold is taken. A task that the source lacks
    has none.

    Raises:
        SavedModelError: a model is missing, or its weights are not those of its manifest.
    """
    wanted = _wanted(params)
    with artifacts.new_folder(paths.FEATURE_TEACHERS) as staging:
        if wanted:
            wanted["weights_sha256"] = {
                task: _link(source, staging / paths.feature_teacher(task).name)
                for task, source in _sources(params, wanted)
            }
        artifacts.write_json(staging / MANIFEST, wanted)


def load(params: Params, tasks: Iterable[str]) -> Teachers:
    """Load the model of each task from data/feature_teachers/; none if features are not matched.

    Raises:
        SavedModelError: one is missing or damaged, or they are of another member or fold.
    """
    if not (wanted := _wanted(params)):
        return {}
    linked = _read_manifest()
    for key, value in wanted.items():
        if linked.get(key) != value:
            raise SavedModelError(
                f"the feature teachers are not of {key} {value}",
                seen=linked.get(key),
                where=_MANIFEST,
                fix=remake(_MANIFEST),
            )
    return {task: saved_model.load(paths.feature_teacher(task)) for task in tasks}


def _wanted(params: Params) -> dict[str, Any]:
    features = params.distillation.features
    if features is None:
        return {}
    return {"member": features.member, "fold": str(params.teachers.folds[0])}


def _sources(params: Params, wanted: dict[str, Any]) -> Iterator[tuple[str, Path]]:
    for task in params.teachers.tasks:
        folder = paths.teacher(task, wanted["member"], wanted["fold"])
        if not (folder / rows.MISSING).exists():
            yield task, folder


def _link(source: Path, target: Path) -> str:
    """Link a teacher's files and return the SHA-256 of its weights."""
    manifest = saved_model.read_manifest(source)
    saved_model.check_weights(source, manifest)
    artifacts.link_folder(source, target, leave_out=saved_model.LOG)
    weights: str = manifest["weights_sha256"]
    return weights


def _read_manifest() -> dict[str, Any]:
    where, fix = _MANIFEST, remake(_MANIFEST)
    try:
        manifest: dict[str, Any] = artifacts.read_json(where)
    except FileNotFoundError:
        raise SavedModelError("no feature teachers", where=where, fix=fix) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise SavedModelError(
            "the manifest of the feature teachers is not JSON", seen=error, where=where, fix=fix
        ) from None
    return manifest
