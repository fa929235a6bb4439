"""Experiments are made once, found by name and parameters, and fetched as they are now.

Run with: python -m pytest tests/pipeline/replication/test_experiments.py
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pipeline import paths
from pipeline.errors import DataError, PipelineError
from pipeline.replication import experiments, settings, workspace
from pipeline.replication.settings import Run, Setting
from tests.pipeline.replication.conftest import SAMPLE, git, save

HOT = settings.parse("hot=distillation.temperature=4.0")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The commands that would be run; saving an experiment does as DVC does."""
    made: list[tuple[str, ...]] = []

    def call(*command: str) -> None:
        made.append(command)
        if command[:3] == ("dvc", "exp", "save"):
            save(command[-1])

    monkeypatch.setattr(workspace, "call", call)
    monkeypatch.setattr(workspace, "_checkout", lambda: None)
    return made


def runs(base: str = SAMPLE, seeds: tuple[int, ...] = (1, 2)) -> list[Run]:
    return settings.runs(base, [Setting("base"), HOT], seeds, "student")


def saved(calls: list[tuple[str, ...]]) -> list[str]:
    return [command[-1] for command in calls if command[0] == "dvc"]


def test_each_run_is_driven_and_saved_under_its_parameters(
    project: Path, calls: list[tuple[str, ...]]
) -> None:
    experiments.make(runs(), jobs=3)
    assert calls[0] == ("orchestration.repro", "--jobs", "3")
    assert saved(calls) == ["base-1", "hot-1", "base-2", "hot-2"]
    assert len(calls) == 8
    for run in runs():
        commit = experiments.revision(run.name, run.text)
        assert commit is not None
        assert git("show", f"{commit}:params.yaml") == run.text.strip()
    assert Path("params.yaml").read_text("utf-8") == SAMPLE


def test_what_is_finished_is_not_run_again(
    project: Path, calls: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    experiments.make(runs(seeds=(1,)), jobs=1)
    calls.clear()
    experiments.make(runs(), jobs=1)
    assert saved(calls) == ["base-2", "hot-2"]
    assert "base-1: finished before, not run again" in capsys.readouterr().out
    calls.clear()
    experiments.make(runs(), jobs=1)
    assert calls == []


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("epochs: 3", "epochs: 2", ["base-1", "hot-1"]),
        ("temperature: 1.0", "temperature: 2.0", ["base-1"]),  # hot has its own
        ("checkpoint_seconds: 120", "checkpoint_seconds: 60", []),  # decides no byte
        ("threads: auto", "threads: 1", []),
        ("attempts: 5", "attempts: 2", []),
    ],
)
def test_other_parameters_are_run_again(
    project: Path, calls: list[tuple[str, ...]], old: str, new: str, again: list[str]
) -> None:
    assert old in SAMPLE
    experiments.make(runs(seeds=(1,)), jobs=1)
    calls.clear()
    experiments.make(runs(SAMPLE.replace(old, new), seeds=(1,)), jobs=1)
    assert saved(calls) == again


def test_a_fault_keeps_what_is_finished(
    project: Path, calls: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    works = workspace.call

    def call(*command: str) -> None:
        if "base-2" in saved(calls):
            raise PipelineError("a command failed, see above")
        works(*command)

    monkeypatch.setattr(workspace, "call", call)
    with pytest.raises(PipelineError, match="a command failed"):
        experiments.make(runs(), jobs=1)
    found = [experiments.revision(run.name, run.text) is not None for run in runs()]
    assert found == [True, True, True, False]
    assert Path("params.yaml").read_text("utf-8") == SAMPLE


def test_an_experiment_of_any_commit_is_found_and_tells_it(
    project: Path, calls: list[tuple[str, ...]]
) -> None:
    head = git("rev-parse", "HEAD")
    experiments.make(runs(seeds=(1,)), jobs=1)
    git("commit", "-q", "--allow-empty", "-m", "later")
    (base, hot) = runs(seeds=(1,))
    assert experiments.revision(base.name, base.text)
    assert experiments.revision(base.name, hot.text) is None
    assert experiments.revision(hot.name)
    assert experiments.revision("hot-2") is None
    assert experiments.commits(["base-1", "hot-1"]) == [head[:7]]
    assert experiments.commits(["hot-3"]) == []


def test_outside_of_a_repository_it_is_the_users_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="Git cannot be asked for experiments"):
        experiments.revision("base-1")


def evaluate(score: str, name: str) -> str:
    """An experiment whose predictions DVC's cache has."""
    paths.EVALUATION.mkdir(parents=True, exist_ok=True)
    (paths.EVALUATION / paths.METRICS.name).write_text(score, "utf-8")
    subprocess.run(["dvc", "add", "-q", str(paths.EVALUATION)], check=True, capture_output=True)
    git("add", "--all")
    git("commit", "-qm", name)
    return save(name)


@pytest.mark.medium
def test_predictions_are_fetched_as_they_are_and_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Experiments are run again under the same name when a setting has changed."""
    monkeypatch.chdir(tmp_path)
    git("init", "-q")
    subprocess.run(["dvc", "init", "-q"], check=True, capture_output=True)
    for score in ("1", "2"):
        commit = evaluate(score, "half-1")
        folder = experiments.fetched("half-1", commit)
        assert (folder / paths.METRICS.name).read_text("utf-8") == score
    with pytest.raises(DataError, match="not in DVC's cache") as error:
        experiments.fetched("half-1", "0" * 40)
    assert "dvc exp remove half-1" in str(error.value)
