"""What a change of the code reruns, in each of the ways to run a pipeline under DVC.

Run with: python -m pytest tests/dvc/test_code.py
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.dvc.conftest import Project, create

pytestmark = pytest.mark.medium

STAGES = ("code", "download", "prepare")
MODULE, USER = "pipeline/data/extra.py", "pipeline/data/prepare.py"
IMPORT = "\nfrom pipeline.data import extra as extra\n"
_RERUN = re.compile(r"(?:Running stage|Stage) '(\S+)'(?::| is cached)")
_DRIVER = re.compile(r"^(\S+) +(?:done in|restored from) ", re.MULTILINE)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The first stages of the pipeline with one task, run once; `prepare` imports a module more."""
    folder = tmp_path_factory.mktemp("code") / "project"
    project = create(folder)
    yaml, file = YAML(), folder / "dvc.yaml"
    stages = yaml.load(file)["stages"]
    yaml.dump({"stages": {name: stages[name] for name in STAGES}}, file)
    project.change(_one_task)
    (folder / MODULE).write_text('"""An extra."""\n\nVALUE = 1\n')
    with (folder / USER).open("a") as module:
        module.write(IMPORT)
    project.dvc("repro", "-q")
    project.commit()
    return project


def _one_task(params: Any) -> None:
    params["tasks"] = {"rte": params["tasks"]["rte"]}
    params["teachers"]["tasks"] = {"rte": {}}


@pytest.fixture
def light(project: Project) -> Iterator[Project]:
    """The project; afterwards it is as it was committed."""
    yield project
    project.git("reset", "-q", "--hard")
    project.dvc("checkout", "-q")


def write_docstring(root: Path, mark: str) -> None:
    (root / MODULE).write_text(f'"""An extra for {mark}."""\n\nVALUE = 1  # remark\n')


def write_value(root: Path, mark: str) -> None:
    (root / MODULE).write_text(f'"""An extra."""\n\nVALUE = "{mark}"\n')


def delete_module(root: Path, _mark: str) -> None:
    (root / MODULE).unlink()
    text = (root / USER).read_text()
    (root / USER).write_text(text.replace(IMPORT, ""))


CHANGES = {
    write_docstring: {"code"},
    write_value: {"code", "prepare@rte"},
    delete_module: {"code", "prepare@rte"},
}
WAYS = {
    "repro": [("repro",)],
    "exp run": [("exp", "run")],
    "temp": [("exp", "run", "--temp")],
    "queue": [("exp", "run", "--queue"), ("exp", "run", "--run-all")],
}


def rerun(output: str) -> set[str]:
    """Stages that were run, or restored from an earlier run of the same code."""
    return set(_RERUN.findall(output))


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("way", WAYS)
def test_dvc_reruns_what_the_code_decides(
    light: Project, way: str, change: Callable[[Path, str], None]
) -> None:
    change(light.root, way)
    output = [light.dvc(*command) for command in WAYS[way]]
    assert rerun(output[-1]) == CHANGES[change]


@pytest.mark.parametrize("change", CHANGES)
def test_the_driver_runs_code_before_single_items(
    light: Project, change: Callable[[Path, str], None]
) -> None:
    change(light.root, "driver")
    output = light.python("-m", "orchestration.repro", "--jobs", "1")
    assert set(_DRIVER.findall(output)) == CHANGES[change]


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_a_single_item_is_refused_on_the_digest_of_other_code(
    light: Project, change: Callable[[Path, str], None]
) -> None:
    single = ("repro", "--single-item", "prepare@rte")
    change(light.root, "single")
    assert rerun(light.dvc(*single)) == set()  # DVC does not look at what runs before
    same = change is write_docstring
    output = light.dvc(*single, "--force", code=0 if same else 255)
    assert ("the code of this stage" in output) is not same
    assert ("fix: dvc repro code" in output) is not same
    light.dvc("repro", "code")
    assert ("prepare@rte" in rerun(light.dvc(*single))) is not same


@pytest.mark.slow
def test_a_module_that_is_still_imported_fails_where_it_is_needed(light: Project) -> None:
    (light.root / MODULE).unlink()
    output = light.dvc("repro", "--keep-going", code=255)
    assert rerun(output) == {"code", "prepare@rte"}
    assert "cannot import name 'extra'" in output


@pytest.mark.slow
def test_a_clone_with_windows_line_ends_reruns_nothing(light: Project, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    light.run("git", "clone", "-q", "-c", "core.autocrlf=true", str(light.root), str(clone))
    assert b"\r" not in (clone / USER).read_bytes()
    (clone / ".dvc/config.local").write_text(f"[cache]\n    dir = {light.root / '.dvc/cache'}\n")
    other = Project(clone)
    other.dvc("checkout", "-q")
    assert rerun(other.dvc("repro")) == set()
    assert "up to date" in other.dvc("status")


@pytest.mark.slow
def test_a_name_cannot_run_a_command(light: Project) -> None:
    """DVC quotes each name of an instance; params.yaml refuses such a name anyway."""
    name = "x; touch PWN #"

    def edit(params: Any) -> None:
        params["tasks"][name] = params["tasks"]["rte"]

    light.change(edit)
    output = light.dvc("repro", code=255)
    assert "Running stage" in output
    assert f"--task '{name}'" in output
    assert "lower-case letters" in output
    assert not (light.root / "PWN").exists()
