"""The pages of docs/extending, taken at their word: what they show is written and run.

Run with: python -m pytest tests/extending/test_pages.py
"""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from ruamel.yaml import YAML

from pipeline.data.sample import files
from pipeline.params import overrides
from pipeline.params.file import load
from tests.dvc.conftest import Project, create

PAGES = Path(__file__).resolve().parents[2] / "docs" / "extending"
KINDS = {"head": "mlp", "rule": "power_mean", "loss": "jensen_shannon", "source": "archive"}
BLOCK = re.compile(r"^```\w+\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WEIGHTS = """
from pipeline import paths
from pipeline.params import file
from pipeline.planning import plan

values = file.read_yaml(paths.PARAMS)
for head in (values["student"]["head"], {"kind": "linear", "pooling": "mean", "dropout": 0.1}):
    values["student"]["head"] = head
    print(*(run.weights for run in plan.of(file.check(values)).runs if run.stage == "distil"))
"""
"""Prints the weights of the planned student, with the page's head and with a linear one."""


def blocks(page: str) -> dict[str, str]:
    """Contents of each file that a page shows."""
    return dict(BLOCK.findall((PAGES / f"{page}.md").read_text("utf-8")))


def use(params: Any) -> None:
    """One task with one teacher, and what every page says of params.yaml."""
    params["tasks"] = {"rte": params["tasks"]["rte"]}
    params["teachers"].update({"tasks": {"rte": {}}, "members": {"m1": {"seed": 1}}})
    for page in KINDS:
        overrides.merge(params, YAML(typ="safe").load(blocks(page)["params.yaml"]))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with the files of all pages, which is not run yet."""
    project = create(tmp_path_factory.mktemp("extending") / "project")
    for page in KINDS:
        for name, content in blocks(page).items():
            if name.endswith(".py"):
                path = project.root / name
                assert not path.exists()
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, "utf-8")
    sample = load(project.root / "params.yaml").data.sources.sample
    with zipfile.ZipFile(project.root / "data" / "local" / "glue.zip", "w") as archive:
        for name, content in files.generate("rte", sample).items():
            archive.writestr(f"RTE/{name}", content)
    project.change(use)
    return project


@pytest.mark.parametrize("page", KINDS)
def test_a_kind_is_two_files_and_a_test(page: str) -> None:
    shown_files = blocks(page)
    assert len(shown_files) == 4
    assert len([name for name in shown_files if name.startswith("pipeline/params/")]) == 1
    assert len([name for name in shown_files if name.startswith("tests/")]) == 1
    assert len([name for name in shown_files if Path(name).stem == KINDS[page]]) == 2


@pytest.mark.medium
def test_the_pages_tests_pass(project: Project) -> None:
    tests = [name for page in KINDS for name in blocks(page) if name.startswith("tests/")]
    assert "failed" not in project.python("-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)


def test_the_plan_counts_the_new_kinds(project: Project) -> None:
    own, linear = map(int, project.python("-c", WEIGHTS).split())
    width, classes = 16, 2
    assert own - linear == (width + 1) * (width + classes) - (width + 1) * classes
    # The zip's rows are taken for GLUE's until they are prepared, not for the generator's.
    assert "Rows: GLUE's official numbers" in project.python("-m", "stages.plan")


@pytest.mark.slow
def test_dvc_runs_the_new_kinds_and_the_results_name_them(project: Project) -> None:
    project.dvc("repro", "-q", "ensemble")
    project.dvc("repro", "-q")
    source = json.loads((project.root / "data/raw/rte/source.json").read_text("utf-8"))
    assert source["source"] == KINDS["source"]
    student = json.loads((project.root / "data/student/model.json").read_text("utf-8"))
    assert student["training"]["heads"]["rte"]["kind"] == KINDS["head"]
    assert student["training"]["distillation"]["loss"]["kind"] == KINDS["loss"]
    labels = pq.read_schema(project.root / "data/soft_labels/rte.parquet").metadata
    assert any(KINDS["rule"].encode() in value for value in labels.values())
    results = project.python("-m", "stages.results")
    assert f"by rule `{KINDS['rule']}`" in results
    assert f"source `{KINDS['source']}`" in results
