"""The page on adding a stage, taken at its word: what it shows is written and run through DVC.

Run with: python -m pytest tests/extending/test_stage_page.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.dvc.conftest import Project, create

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "extending" / "stage.md").read_text("utf-8")
FILES = dict(re.findall(r"^```\w+\n# (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
EDITS = re.findall(r"^```\w+\n# (\S+), ([^\n]+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PLACES = {
    "before the row of evaluate": '    Stage(\n        "evaluate",\n',
    "before the block of evaluate": "  evaluate:\n",
    "before the line of machine": "    machine: Machine\n",
    "among the imports": "from pipeline.params.training import",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with the page's stage and one task, in which nothing was run."""
    project = create(tmp_path_factory.mktemp("stage") / "project")
    for name, content in FILES.items():
        path = project.root / name
        if name != "params.yaml":
            assert not path.exists()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")
    for name, place, content in EDITS:
        path = project.root / name
        text = path.read_text("utf-8")
        assert text.count(PLACES[place]) == 1
        path.write_text(text.replace(PLACES[place], content + PLACES[place]), "utf-8")
    for path in (project.root / "params.yaml", *project.root.glob("profiles/*.yaml")):
        with path.open("a", encoding="utf-8") as stream:
            stream.write(f"\n{FILES['params.yaml']}")
    project.change(lambda params: params.update({"tasks": {"rte": params["tasks"]["rte"]}}))
    project.change(lambda params: params["teachers"].update({"tasks": {"rte": {}}}))
    return project


def test_a_stage_is_five_places() -> None:
    code = {*FILES, *(name for name, *_ in EDITS)}
    assert code == {
        "stages/count_words.py",
        "pipeline/stage_registry.py",
        "dvc.yaml",
        "params.yaml",
        "pipeline/params/words.py",
        "pipeline/params/sections.py",
        "tests/stages/test_count_words.py",
    }


@pytest.mark.medium
def test_the_pages_test_and_those_of_the_registry_pass(project: Project) -> None:
    for name in ("conftest.py", "pipeline/test_stage_registry.py"):
        path = project.root / "tests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((ROOT / "tests" / name).read_text("utf-8"), "utf-8")
    (project.root / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text("utf-8"))
    tests = ("tests/stages/test_count_words.py", "tests/pipeline/test_stage_registry.py")
    output = project.python("-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
    assert "failed" not in output


@pytest.mark.medium
def test_dvc_runs_the_stage_and_all_that_lists_stages_names_it(project: Project) -> None:
    assert "count_words@rte" in project.dvc("status", "count_words")
    stages = project.repro(1, "--until", "count_words")
    assert stages == {"code", "download@rte", "prepare@rte", "count_words@rte"}
    words = json.loads((project.root / "data/words/rte.json").read_text("utf-8"))
    assert words["train"] > 0
    project.change(lambda params: params["words"].update({"minimum": 9}))
    assert project.ran(project.dvc("repro", "count_words")) == {"count_words@rte"}
    assert "count_words (1)" in project.python("-m", "stages.plan").replace("\n  ", " ")
    assert "count_words" in project.python("-m", "stages.usage")
    (project.root / "data/evaluation").mkdir()
    (project.root / "data/evaluation/results.md").write_text("no figures, as nothing was trained\n")
    assert "words of every task" in project.python("-m", "stages.results")
