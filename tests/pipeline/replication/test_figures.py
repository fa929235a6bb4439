"""Figures over seeds, worked out by hand from the predictions of a few rows.

Run with: python -m pytest tests/pipeline/replication/test_figures.py
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline import paths
from pipeline.evaluation import evaluate
from pipeline.evaluation.report import figures as reported
from pipeline.replication import figures, table
from pipeline.replication.settings import Setting
from pipeline.runtime import artifacts

Run = Callable[..., Path]
BASE, WARM = Setting("base"), Setting("warm", changes=("a.b=1",), against="base")
T = 12.7062  # Student's t of one degree of freedom, 97.5 %


@pytest.fixture
def run(write_task: Callable[..., None], made: dict[str, Any], tmp_path: Path) -> Run:
    """`run(name, rte=student...)` gives data/evaluation; RTE has teachers, MNLI none."""

    def evaluated(name: str, *, taught: bool = True, **changes: list[int]) -> Path:
        for task in ("rte", "mnli"):
            shutil.rmtree(paths.prepared(task), ignore_errors=True)
            write_task(task, replace(made[task], **(changes if task == "rte" else {})))
        teachers = {"rte": taught, "mnli": False}
        results = [evaluate.evaluate(one, taught=of) for one, of in teachers.items()]
        folder = tmp_path / name
        folder.mkdir()
        evaluate.write_predictions(results, folder)
        artifacts.write_json(folder / paths.METRICS.name, reported.nested(results))
        return folder

    return evaluated


def test_two_seeds_of_two_settings(run: Run) -> None:
    """RTE has 4 dev rows, of which the baseline has 2 right: students of 3, 4; and 4, 4.

    MNLI's student has 75 and 50 on its two splits, its baseline 50 and 100: -12.5.
    """
    right = [0, 1, 1, 0, 0]
    folders = {
        "base": {1: run("base-1"), 2: run("base-2", student=right)},
        "warm": {1: run("warm-1", student=right), 2: run("warm-2", student=right)},
    }
    base, warm = (figures.gather(one, folders) for one in (BASE, WARM))
    assert base["seeds"] == [1, 2]
    assert base["scores"]["student"] == {"rte": [75.0, 100.0], "mnli": [62.5, 62.5]}
    assert base["scores"]["baseline"] == {"rte": [50.0, 50.0], "mnli": [75.0, 75.0]}
    assert base["teachers"] == {"rte": {"m1": 75.0, "m2": 75.0}}
    assert base["kept"] == (87.5 - 50) / (100 - 50)
    assert "against" not in base
    # Differences 25 and 50: 37.5, deviation 25 / sqrt(2); t reaches 12.5 * T to either side.
    for rte in (base["difference"]["rte"], base["difference_taught"]):
        assert rte["mean"] == pytest.approx(37.5)
        assert rte["deviation"] == pytest.approx(17.6777, abs=1e-4)
        assert rte["seeds_only"] == pytest.approx([37.5 - 12.5 * T, 37.5 + 12.5 * T], abs=1e-3)
        assert rte["low"] < 37.5 < rte["high"]
    # The GLUE score: (25 - 12.5) / 2 and (50 - 12.5) / 2.
    assert base["difference_glue"]["mean"] == pytest.approx(12.5)
    assert base["difference_glue"]["deviation"] == pytest.approx(8.8388, abs=1e-4)
    against = warm["against"]
    assert (against["setting"], against["seeds"]) == ("base", [1, 2])
    assert against["difference_taught"]["mean"] == pytest.approx((25 + 0) / 2)
    assert against["difference_glue"]["mean"] == pytest.approx((12.5 + 0) / 2)
    assert against["difference"]["mnli"]["mean"] == 0.0
    assert json.loads(artifacts.dump_json(warm)) == {**warm, "changes": ["a.b=1"]}


def test_a_student_that_is_right_where_the_baseline_is_wrong_has_no_interval(run: Run) -> None:
    sure = {"student": [0, 1, 1, 0, 0], "baseline": [1, 0, 0, 1, 0]}
    folders = {"base": {seed: run(f"base-{seed}", **sure) for seed in (1, 2)}}
    taught = figures.gather(BASE, folders)["difference_taught"]
    assert (taught["mean"], taught["low"], taught["high"]) == (100.0, 100.0, 100.0)
    assert (taught["deviation"], taught["seeds_only"]) == (0.0, [100.0, 100.0])


def test_one_seed_without_teachers(run: Run) -> None:
    gathered = figures.gather(BASE, {"base": {4: run("base-4", taught=False)}})
    assert (gathered["kept"], gathered["teachers"]) == (None, {})
    assert gathered["difference_taught"] is None
    glue = gathered["difference_glue"]
    assert glue["mean"] == pytest.approx(6.25)
    assert (glue["deviation"], glue["seeds_only"]) == (None, None)
    assert table.rows({"base": gathered})["Task"].tolist() == ["MNLI", "RTE", "GLUE score"]


def test_a_setting_is_compared_on_the_seeds_that_both_have(run: Run) -> None:
    folders = {"base": {2: run("base-2")}, "warm": {1: run("warm-1"), 2: run("warm-2")}}
    warm = figures.gather(WARM, folders)
    assert (warm["seeds"], warm["against"]["seeds"]) == ([1, 2], [2])
    del folders["base"][2]
    assert "against" not in figures.gather(WARM, folders)


@pytest.mark.parametrize(
    ("ensemble", "share"), [(60.0, 0.8), (50.0, None), (50.00001, None), (45.0, None)]
)
def test_a_share_is_kept_only_of_a_lead(ensemble: float, share: float | None) -> None:
    assert figures.share_kept(58.0, 50.0, ensemble) == share
    scores = {"student": [57.0, 59.0], "baseline": [50.0, 50.0], "ensemble": [ensemble] * 2}
    by_task = {system: {"rte": score} for system, score in scores.items()}
    assert figures._kept(by_task, ["rte"]) == share


def test_scores_are_listed_by_system_and_task_in_the_order_of_seeds() -> None:
    """The ensemble has no score of a task without teachers; teachers are means over runs."""
    runs = [
        {
            "tasks": {
                "wnli": {"baseline": {"score": 40.0 + seed}, "student": {"score": 50.0 + seed}},
                "rte": {
                    "teachers": {"m1": {"score": 60.0 + seed}, "m2": {"score": 62.0}},
                    "ensemble": {"score": 70.0},
                    "baseline": {"score": 55.0 + seed},
                    "student": {"score": 65.0 + seed},
                },
            }
        }
        for seed in (2, 1)
    ]
    assert figures._scores(runs) == {
        "baseline": {"wnli": [42.0, 41.0], "rte": [57.0, 56.0]},
        "student": {"wnli": [52.0, 51.0], "rte": [67.0, 66.0]},
        "ensemble": {"rte": [70.0, 70.0]},
    }
    assert figures._teachers(runs) == {"rte": {"m1": 61.5, "m2": 62.0}}


def test_differences_are_in_points_and_one_seed_has_no_spread() -> None:
    spread = {"deviation": 0.01, "t_low": -0.005, "t_high": 0.045}
    several = {"mean": 0.02, "low": 0.01, "high": 0.03}
    frame = pd.DataFrame({"several": {**several, **spread}, "one": several}).T
    intervals = figures._intervals(frame)
    points = {"mean": 2.0, "low": 1.0, "high": 3.0}
    assert intervals == {
        "several": {**points, "deviation": 1.0, "seeds_only": [-0.5, 4.5]},
        "one": {**points, "deviation": None, "seeds_only": None},
    }
    assert json.loads(json.dumps(intervals)) == intervals
