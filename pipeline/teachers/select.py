"""Select the best candidates by their dev scores and keep their encoders."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from pipeline import metrics, paths
from pipeline.data.formats import layouts
from pipeline.errors import DataError, SavedModelError
from pipeline.model import encoder_files, saved_model
from pipeline.params.sections import Params
from pipeline.runtime import artifacts
from pipeline.stage_registry import remake
from pipeline.tasks import Task
from pipeline.teachers.initial_encoder import Selected

INDEX = "selected.json"


@dataclass(frozen=True)
class Candidate:
    """A trained candidate with its scores.

    Attributes:
        name: as in params.yaml.
        manifest: its model.json.
        scores: score of each task under selection.tasks, as a fraction.
    """

    name: str
    manifest: Mapping[str, Any]
    scores: Mapping[str, float]

    @property
    def score(self) -> float:
        """Mean over the tasks under selection.tasks."""
        return fmean(self.scores.values())


def select(params: Params) -> list[Candidate]:
    """Keep the encoders of the best candidates (arXiv 1904.09482, section 4.1).

    Writes data/selected/<rank>/ and data/selected/selected.json, which stay the same to the byte
    as long as the same candidates are the best; and data/selection.json with all scores.

    Returns:
        All candidates, the best first.

    Raises:
        SavedModelError: a candidate is not trained, or its weights are not those of its manifest.
        DataError: a task under selection.tasks has no dev scores.
    """
    order = rank([_read(name, params) for name in params.refinement.candidates])
    best = order[: params.selection.top]
    with artifacts.new_folder(paths.SELECTED) as staging:
        index = {}
        for place, candidate in enumerate(best, start=1):
            selected = _keep(candidate, staging / paths.selected(place).name)
            index[str(place)] = selected.model_dump(include={"candidate", "weights_sha256"})
        artifacts.write_json(staging / INDEX, index)
    artifacts.write_json(paths.SELECTION, _report(order, params))
    return order


def rank(candidates: list[Candidate]) -> list[Candidate]:
    """Sort candidates, the best first; equal scores in the order of the names."""
    return sorted(candidates, key=lambda candidate: (-candidate.score, candidate.name))


def check_tasks(params: Params, scored: Container[str]) -> None:
    """Check that every task under selection.tasks has dev rows.

    Args:
        params: its section `selection` is used.
        scored: tasks with dev rows, or dev scores.

    Raises:
        DataError: one has none.
    """
    for task in params.selection.tasks:
        if task not in scored:
            raise DataError(
                f"candidates cannot be selected by {task}: the source has no train rows or no "
                "dev rows of it",
                where="selection.tasks in params.yaml",
                fix=f"take {task} out of selection.tasks, or name another task there",
            )


def _read(name: str, params: Params) -> Candidate:
    manifest = saved_model.read_manifest(paths.refined(name))
    dev = manifest.get("dev", {})
    check_tasks(params, {task for task, per_split in dev.items() if per_split})
    scores = {
        task: metrics.task_score(_task(task, params), dev[task]) for task in params.selection.tasks
    }
    return Candidate(name, manifest, scores)


def _task(name: str, params: Params) -> Task:
    return layouts.task_of(name, params.tasks[name].custom)


def _keep(candidate: Candidate, folder: Path) -> Selected:
    """Copy the encoder, without heads: teachers get heads of their own."""
    source, weights = paths.refined(candidate.name), candidate.manifest["weights_sha256"]
    if (seen := saved_model.weights_sha256(source)) != weights:
        raise SavedModelError(
            f"the weights are not those that {saved_model.MANIFEST} names ({weights})",
            seen=seen,
            where=source,
            fix=f"dvc checkout {source}, or {remake(source, force=True)}",
        )
    artifacts.copy_folder(source / saved_model.ENCODER, folder / saved_model.ENCODER)
    selected = Selected(
        candidate=candidate.name,
        weights_sha256=weights,
        sha256=artifacts.sha256(folder / saved_model.ENCODER / encoder_files.WEIGHTS),
        encoder=candidate.manifest["encoder"],
    )
    artifacts.write_json(folder / saved_model.MANIFEST, selected.model_dump(mode="json"))
    return selected


def _report(order: list[Candidate], params: Params) -> dict[str, Any]:
    top, tasks = params.selection.top, list(dict.fromkeys(params.selection.tasks))
    entries = {
        candidate.name: {
            "rank": place,
            "selected": place <= top,
            "score": candidate.score,
            "scores": dict(candidate.scores),
            "dev": candidate.manifest["dev"],
            "weights_sha256": candidate.manifest["weights_sha256"],
            "trained": candidate.manifest.get("trained"),
        }
        for place, candidate in enumerate(order, start=1)
    }
    rule = f"highest mean dev score of {', '.join(tasks)}; equal scores in the order of names"
    return {"rule": rule, "tasks": tasks, "top": top, "candidates": entries}
