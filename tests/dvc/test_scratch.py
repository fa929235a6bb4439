"""A run from scratch, the same again, side by side, and in a fresh clone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline import stage_registry
from pipeline.params.file import load
from pipeline.stage_registry import STAGES
from tests.dvc.test_reruns import ENSEMBLES

pytestmark = pytest.mark.medium


def instances(project: Any) -> set[str]:
    """Every instance of every stage, by the registry."""
    params = load(project.root / "params.yaml")
    return {name for stage in STAGES for name in stage_registry.instances(stage, params)}


def test_stages_are_named_by_task_and_member(base: Any) -> None:
    # DVC does not document that a matrix over a mapping goes over its keys.
    assert sorted(base.dvc("stage", "list", "--name-only").split()) == sorted(instances(base))


def test_a_second_run_executes_nothing(base: Any) -> None:
    assert base.repro() == set()
    assert base.repro(jobs=2) == set()
    assert "up to date" in base.dvc("repro")


@pytest.mark.slow
def test_from_scratch_side_by_side_gives_the_same_files(base: Any, fresh: Any) -> None:
    assert fresh.repro(jobs=2) == instances(fresh)
    assert fresh.digests() == base.digests()
    assert fresh.repro() == set()


@pytest.fixture
def clone(base: Any, tmp_path: Path) -> Any:
    """A Git clone of the base run that has a remote to pull from and no data yet."""
    remote, folder = tmp_path / "remote", tmp_path / "clone"
    base.dvc("remote", "add", "--local", "--force", "--default", "store", str(remote))
    base.dvc("push", "-q")
    base.run("git", "clone", "-q", str(base.root), str(folder))
    other = type(base)(folder)
    other.dvc("remote", "add", "--local", "--default", "store", str(remote))
    return other


@pytest.mark.slow
def test_a_fresh_clone_pulls_and_executes_nothing(base: Any, clone: Any) -> None:
    clone.dvc("pull", "-q")
    assert "up to date" in clone.dvc("status")
    assert clone.ran(clone.dvc("repro")) == set()
    assert clone.repro() == set()
    assert clone.git("status", "--short") == ""
    assert clone.digests() == base.digests()


@pytest.mark.slow
def test_a_clone_distils_and_ensembles_without_a_teachers_weights(clone: Any) -> None:
    clone.dvc("pull", "-q", "code", "prepare", "ensemble", "feature_teachers")
    clone.change(lambda params: params["student"].update({"epochs": 2}))
    assert clone.ran(clone.dvc("repro", "--allow-missing", "distil")) == {"distil"}
    assert not (clone.root / "data/logits").exists()
    logits = [path for path in clone.digests() if path.startswith("data/logits/")]
    assert len(logits) == 4
    clone.dvc("pull", "-q", *logits)
    clone.change(lambda params: params["ensemble"].update({"rule": "mean_logit"}))
    stages = clone.ran(clone.dvc("repro", "--allow-missing", "distil"))
    assert stages == ENSEMBLES | {"distil"}
    assert not (clone.root / "data/teachers").exists()


@pytest.mark.slow
def test_figures_and_plots_are_readable(base: Any) -> None:
    table = base.dvc("metrics", "show", "--md")
    assert "tasks.rte.difference" in table
    base.change(lambda params: params["teachers"]["members"].update({"m3": {"seed": 3}}))
    assert "teachers.members.m3.seed" in base.dvc("params", "diff", "--md")
    base.git("checkout", "-q", "params.yaml")
    page = base.root / "dvc_plots" / "index.html"
    base.dvc("plots", "show", "reports/scores.csv", "data/student/log.csv")
    assert "data/student/log.csv" in page.read_text("utf-8")
