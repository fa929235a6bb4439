"""Every parameter that decides a result is one that DVC compares for some stage.

Run with: python -m pytest tests/dvc/test_params.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dvc.repo import Repo
from pydantic import BaseModel

from pipeline.params import file
from tests.dvc.conftest import create

DECIDES_NOTHING = {
    "data.retry.attempts": "a file is the pinned one, however often it was asked for",
    "data.retry.backoff": "as above",
    "data.retry.timeout": "as above",
    "machine.device": "another device gives results as good; `--force` runs a stage on it",
    "machine.threads": "no result depends on it",
    "machine.labelling_tokens": "how many rows are scored at once",
    "machine.checkpoint_seconds": "a resumed training ends with the same bytes",
}


def fill(params: Any) -> None:
    """Instances of every stage, so that each of them names its parameters."""
    params["refinement"]["candidates"] = {"c1": {"seed": 1}}
    params["selection"].update({"top": 1, "tasks": ["rte"]})
    params["tuning"]["tasks"] = {"rte": {}}
    params["transfer"] = {"rte": {"source": "test", "rows": 8}}
    params["teachers"]["early_stopping"] = {"share": 0.1, "patience": 1}


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """Paths of all values, those that may be left out included."""
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from leaves(child, f"{path}.{key}" if path else key)
    else:
        yield path


def test_every_leaf_is_named_or_decides_nothing(tmp_path: Path) -> None:
    project = create(tmp_path / "project")
    project.change(fill)
    with Repo(str(project.root)) as repo:
        stages = repo.index.stages
        named = {key for stage in stages for dep in stage.params for key in dep.params}
    assert {stage.name.partition("@")[0] for stage in stages} >= {"refine", "tune", "label"}
    params = file.check(file.read_yaml(project.root / "params.yaml"))
    every = set(leaves(params))
    assert {"teachers.tasks.rte.epochs", "teachers.members.m1.encoder"} <= every
    lacking = {leaf for leaf in every if not any(f"{leaf}.".startswith(f"{key}.") for key in named)}
    assert lacking == set(DECIDES_NOTHING)
