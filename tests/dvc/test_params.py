"""Every parameter that decides a result is one that DVC compares for the stages it decides.

Run with: python -m pytest tests/dvc/test_params.py
"""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo
from pydantic import BaseModel
from ruamel.yaml import YAML

from pipeline.params import file
from pipeline.runtime.code_digest import Code
from pipeline.stage_registry import STAGES
from tests.dvc.conftest import create

ROOT = Path(__file__).resolve().parents[2]
TRAINED = "refine teach distil baseline tune"
DECIDES = {
    "data.source": "download",
    "data.folder": "download",
    "data.sources": "download",
    "data.cap_seed": "prepare",
    "tasks": "prepare refine select ensemble budget distil baseline evaluate",
    "transfer": "prepare ensemble budget distil",
    "refinement": "refine",
    "refinement.candidates": "refine select",
    "selection": "select",
    "teachers": "teach",
    "teachers.encoder": "initialize",
    "teachers.members": "initialize teach ensemble",
    "teachers.tasks": "prepare teach feature_teachers budget distil evaluate",
    "teachers.folds": "prepare teach ensemble feature_teachers",
    "ensemble": "ensemble",
    "student": "distil baseline",
    **dict.fromkeys(
        (
            "student.epochs",
            "student.batch_size",
            "student.accumulation",
            "student.sampling",
            "student.early_stopping",
        ),
        "budget distil baseline",
    ),
    "baseline.budgets": "budget evaluate",
    "distillation": "distil",
    "distillation.features": "feature_teachers distil",
    "tuning": "tune",
    "tuning.tasks": "tune evaluate",
    "machine.precision": f"{TRAINED} label",
    "machine.engine": f"{TRAINED} label",
    "machine.shards": TRAINED,
    "machine.labelling_tokens": f"{TRAINED} label",
}
"""Stages that run again when a value at or below a place changes; the longest place counts."""
DECIDES_NOTHING = {
    "data.retry.attempts": "a file is the pinned one, however often it was asked for",
    "data.retry.backoff": "as above",
    "data.retry.timeout": "as above",
    "machine.device": "another device gives results as good; `--force` runs a stage on it",
    "machine.products": "another processor gives results as good; manifests name it",
    "machine.threads": "no result depends on it",
    "machine.checkpoint_seconds": "a resumed training ends with the same bytes",
}


def fill(params: Any) -> None:
    """Instances of every stage, those of tasks for every task."""
    params["teachers"]["tasks"]["wnli"] = {}
    params["refinement"]["candidates"] = {"c1": {"seed": 1}}
    params["selection"].update({"top": 1, "tasks": ["rte"]})
    params["tuning"]["tasks"] = {"rte": {}}
    params["transfer"] = {"rte": {"source": "test", "rows": 8}}
    params["teachers"]["early_stopping"] = {"share": 0.1, "patience": 1}


def within(path: str, place: str) -> bool:
    return f"{path}.".startswith(f"{place}.")


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """Paths of all values, those that may be left out included."""
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from leaves(child, f"{path}.{key}" if path else key)
    else:
        yield path


def changed(params: Any, leaf: str) -> Any:
    """A copy of the parameters with another value at one place."""
    params = copy.deepcopy(params)
    *above, last = leaf.split(".")
    section = params
    for name in above:
        section = section.setdefault(name, {})
    section[last] = "another value"
    return params


@pytest.fixture(scope="module")
def seen_by(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Instances whose parameters, as DVC reads them, change with each leaf of params.yaml."""
    project = create(tmp_path_factory.mktemp("params") / "project")
    project.change(fill)
    path = project.root / "params.yaml"
    values = file.read_yaml(path)
    with Repo(str(project.root)) as repo:
        keys = {
            stage.name: {key for dep in stage.params for key in dep.params}
            for stage in repo.index.stages
        }
        dependency = next(dep for stage in repo.index.stages for dep in stage.params)
        dependency.params = sorted(set.union(*keys.values()))

        def read(params: Any) -> Mapping[str, Any]:
            path.write_text(json.dumps(params), "utf-8")
            return dependency.read_params()

        before, stages = read(values), {}
        for leaf in leaves(file.check(values)):
            after = read(changed(values, leaf))
            other = {key for key in {*before, *after} if before.get(key) != after.get(key)}
            stages[leaf] = {name for name, named in keys.items() if named & other}
    return stages


@pytest.mark.medium
def test_a_leaf_changes_the_stages_it_decides(seen_by: dict[str, set[str]]) -> None:
    assert {"teachers.tasks.rte.epochs", "teachers.members.m1.encoder"} <= set(seen_by)
    decided = {}
    for leaf in seen_by:
        places = [place for place in DECIDES if within(leaf, place)]
        decided[leaf] = set(DECIDES[max(places, key=len)].split()) if places else set()
    assert {leaf for leaf, stages in decided.items() if not stages} == set(DECIDES_NOTHING)
    groups = {
        leaf: {name.partition("@")[0] for name in instances} for leaf, instances in seen_by.items()
    }
    assert groups == decided


@pytest.mark.medium
def test_a_leaf_of_one_name_changes_the_instances_of_that_name(
    seen_by: dict[str, set[str]],
) -> None:
    for leaf, instances in seen_by.items():
        for group, _, names in (name.partition("@") for name in instances):
            for key, name in zip(STAGES[group].keys.values(), names.split("-"), strict=False):
                if within(leaf, key) and leaf != key:
                    assert within(leaf, f"{key}.{name}"), f"{leaf}: {group}@{names}"


def reads(tree: ast.AST) -> Iterator[str]:
    """Places of params.yaml that code reads, such as student.epochs for `params.student.epochs`."""
    inner: set[ast.AST] = set()
    for node in ast.walk(tree):
        method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        value = node.func.value if method else node  # of `params.tuning.training()`: tuning
        parts: list[str] = []
        if value in inner:
            continue
        inner |= {node.func} if method else set()
        while isinstance(value, ast.Attribute):
            inner.add(value)
            parts.insert(0, value.attr)
            value = value.value
        if isinstance(value, ast.Name):
            parts.insert(0, value.id)
        if "params" in parts[:-1]:
            yield ".".join(parts[parts.index("params") + 1 :])


def test_code_of_a_stage_reads_every_entry() -> None:
    """An entry that none reads would run the stage again for nothing.

    As far as names tell: what a stage imports reads the place, one below it or one above it.
    """
    stages = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
    code, unread = Code(), set()
    for name, stage in stages.items():
        files = [path for path in code.closure(f"stages.{name}") if path.endswith(".py")]
        places = {
            place
            for path in files
            if not path.startswith("pipeline/params/")  # its checks read all sections
            for place in reads(ast.parse((ROOT / path).read_text("utf-8")))
        }
        for entry in (entry.partition(".$")[0] for entry in stage.get("params", [])):
            if not any(within(place, entry) or within(entry, place) for place in places):
                unread.add((name, entry))
    assert unread == set()
