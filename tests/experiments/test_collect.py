"""What is gathered is what the experiment of that name holds now.

Run with: python -m pytest tests/experiments/test_collect.py
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from experiments import collect, settings
from pipeline import paths

pytestmark = pytest.mark.medium


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def evaluated(score: float, name: str) -> None:
    """Commit an evaluation under a name, as an experiment is."""
    paths.EVALUATION.mkdir(parents=True, exist_ok=True)
    (paths.EVALUATION / paths.METRICS.name).write_text(json.dumps(score))
    run("dvc", "add", "-q", str(paths.EVALUATION))
    run("git", "add", "--all")
    run("git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one")
    run("git", "tag", "--force", name)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    run("git", "init", "-q")
    run("dvc", "init", "-q")
    return tmp_path


def test_an_evaluation_is_fetched_as_it_is_and_anew(project: Path) -> None:
    """Experiments are run again under the same name when a setting has changed."""
    for score in (1.0, 2.0):
        evaluated(score, "half-1")
        folder = collect._fetched("half-1")
        assert folder is not None
        assert json.loads((folder / paths.METRICS.name).read_text()) == score


def test_what_was_not_run_is_left_out(project: Path) -> None:
    evaluated(1.0, "half-1")
    assert collect._folders("half", [1, 2]).keys() == {1}
    assert collect._folders("same", [1, 2]) == {}


def test_a_setting_that_was_not_run_here_stays_as_it_was(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`half` was run elsewhere, `paper` is run anew, `gone` is no setting any more."""
    target = project / "evidence.json"
    before = {"half": {"kept": 0.5}, "paper": {"kept": 0.1}, "gone": {"kept": 0.2}}
    target.write_text(json.dumps(before))
    monkeypatch.setattr(
        collect, "_folders", lambda name, _: {1: project} if name == "paper" else {}
    )
    monkeypatch.setattr(collect, "_figures", lambda *_: {"kept": 0.3})
    collect.write(target, settings.select(["half", "paper"]), [1])
    assert json.loads(target.read_text()) == {"half": {"kept": 0.5}, "paper": {"kept": 0.3}}


def test_an_experiment_tells_the_commit_that_it_was_run_at(project: Path) -> None:
    evaluated(1.0, "first")
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    for name in ("half-1", "half-2"):
        run("git", "update-ref", f"refs/exps/{head[:2]}/{head[2:]}/{name}", "HEAD")
    assert collect._commits(["half-1", "half-2"]) == [head[:7]]
    assert collect._commits(["half-3"]) == []


def test_what_a_setting_is_compared_with_is_fetched_with_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = []
    monkeypatch.setattr(collect, "_folders", lambda name, _: names.append(name) or {1: project})
    monkeypatch.setattr(collect, "_figures", lambda setting, folders: sorted(folders))
    compared = collect.write(project / "evidence.json", settings.select(["annealed"]), [1])
    assert compared == {"annealed": ["annealed", "paper"]}
    assert sorted(names) == ["annealed", "paper"]


@pytest.mark.parametrize(
    ("ensemble", "share"), [(60.0, 0.8), (50.0, None), (50.00001, None), (45.0, None)]
)
def test_a_share_is_kept_only_of_a_lead(ensemble: float, share: float | None) -> None:
    assert collect.share_kept(58.0, 50.0, ensemble) == share
    scores = {"student": [57.0, 59.0], "baseline": [50.0, 50.0], "ensemble": [ensemble] * 2}
    by_task = {system: {"rte": score} for system, score in scores.items()}
    assert collect._kept(by_task, ["rte"]) == share


def test_scores_are_listed_by_system_and_task_in_the_order_of_seeds() -> None:
    """The ensemble has no score of a task without teachers."""
    runs = [
        {
            "tasks": {
                "wnli": {"baseline": {"score": 40.0 + seed}, "student": {"score": 50.0 + seed}},
                "rte": {
                    "teachers": {"m1": {"score": 61.0}, "m2": {"score": 62.0}},
                    "ensemble": {"score": 70.0},
                    "baseline": {"score": 55.0 + seed},
                    "student": {"score": 65.0 + seed},
                },
            }
        }
        for seed in (2, 1)
    ]
    assert collect._scores(runs) == {
        "baseline": {"wnli": [42.0, 41.0], "rte": [57.0, 56.0]},
        "student": {"wnli": [52.0, 51.0], "rte": [67.0, 66.0]},
        "ensemble": {"rte": [70.0, 70.0]},
    }
    assert collect._teachers(runs) == {"rte": {"m1": 61.0, "m2": 62.0}}


def test_differences_are_in_points_and_one_seed_has_no_spread() -> None:
    spread = {"deviation": 0.01, "t_low": -0.005, "t_high": 0.045}
    several = {"mean": 0.02, "low": 0.01, "high": 0.03}
    table = pd.DataFrame({"several": {**several, **spread}, "one": several}).T
    intervals = collect._intervals(table)
    points = {"mean": 2.0, "low": 1.0, "high": 3.0}
    assert intervals == {
        "several": {**points, "deviation": 1.0, "seeds_only": [-0.5, 4.5]},
        "one": {**points, "deviation": None, "seeds_only": None},
    }
    assert json.loads(json.dumps(intervals)) == intervals
