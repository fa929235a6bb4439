"""Runs with other seeds, compared by the files of predictions that they left."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import paths
from pipeline.errors import DataError, SoftLabelError
from pipeline.evaluation import evaluate, seeds

Run = Callable[..., Path]
RTE_GAP = 0.25  # student 0, 1, 1, 1 and baseline 0, 0, 0, 0 of gold 0, 1, 1, 0


@pytest.fixture
def run(write_task: Callable[..., None], made: dict[str, Any], tmp_path: Path) -> Run:
    """`run(name, task=student...)` evaluates RTE and MNLI and gives the folder of predictions."""

    def evaluated(name: str, **students: list[int]) -> Path:
        for task in ("rte", "mnli"):
            shutil.rmtree(paths.prepared(task), ignore_errors=True)
            write_task(task, replace(made[task], student=students.get(task, made[task].student)))
        taught = {"rte": True, "mnli": False}
        folder = tmp_path / name
        folder.mkdir()
        results = [evaluate.evaluate(one, taught=of) for one, of in taught.items()]
        evaluate.write_predictions(results, folder)
        return folder

    return evaluated


def test_one_run_is_its_own_comparison(run: Run) -> None:
    folder = run("first")
    comparison = seeds.compare([folder], ["rte", "mnli"])
    assert list(comparison.index) == ["rte", "mnli", seeds.MEAN]
    expected = evaluate.evaluate("rte", taught=True).comparison.difference
    alone = {"mean": RTE_GAP, "low": expected.low, "high": expected.high}
    assert comparison.loc["rte"].dropna().to_dict() == alone  # no spread over seeds
    assert comparison.loc[seeds.MEAN, "mean"] == pytest.approx((RTE_GAP - 0.125) / 2)


def test_several_runs(run: Run) -> None:
    # Students of RTE with 3, 4 and 2 of 4 rows right; the baseline has 2. MNLI stays at -0.125.
    folders = [
        run("first"),
        run("second", rte=[0, 1, 1, 0, 0]),
        run("third", rte=[1, 1, 1, 1, 0]),
    ]
    comparison = seeds.compare(folders, ["rte", "mnli"])
    assert comparison["mean"].tolist() == pytest.approx([0.25, -0.125, (0.25 - 0.125) / 2])
    # The mean over both tasks: half of RTE's deviation.
    assert comparison["deviation"].tolist() == pytest.approx([0.25, 0.0, 0.125])
    # Student's t of 2 degrees of freedom: 4.3027 / sqrt(3) = 2.4841 deviations.
    reach = pytest.approx([0.62103, 0.0, 0.31052], abs=1e-5)
    assert (comparison["t_high"] - comparison["mean"]).tolist() == reach
    assert (comparison["mean"] - comparison["t_low"]).tolist() == reach
    mean = comparison.loc[seeds.MEAN]
    assert mean["low"] < mean["mean"] < mean["high"]


def test_other_systems_and_draws(run: Run) -> None:
    folder = run("first")
    comparison = seeds.compare([folder], ["rte"], "ensemble", "majority", resamples=200, seed=4)
    assert comparison.loc[seeds.MEAN, "mean"] == 0.5
    again = seeds.compare([folder], ["rte"], "ensemble", "majority", resamples=200, seed=4)
    assert again.equals(comparison)


def test_rows_join_by_id_whatever_their_order(run: Run) -> None:
    folders = [run("first"), run("second", rte=[0, 1, 1, 0, 0])]
    expected = seeds.compare(folders, ["rte"])
    path = folders[1] / "rte.parquet"
    pq.write_table(pq.read_table(path).take(pa.array([4, 2, 0, 3, 1])), path)
    assert seeds.compare(folders, ["rte"]).equals(expected)


def test_runs_on_other_dev_rows_are_refused(run: Run, made: dict[str, Any]) -> None:
    folders = [run("first")]
    labels = {**made["rte"].labels, "dev": [0, 1, 1, 1]}
    made["rte"] = replace(made["rte"], labels=labels)
    folders.append(run("second"))
    with pytest.raises(SoftLabelError, match="another label") as error:
        seeds.compare(folders, ["rte"])
    assert "second/rte.parquet" in str(error.value)


FAULTS: dict[str, tuple[Any, list[str], str, str]] = {
    "no task": (lambda folder: [folder], [], "student", "no task to compare on"),
    "no run": (lambda folder: [], ["rte"], "student", "no runs"),
    "a task that was not evaluated": (lambda f: [f], ["qqp"], "student", "no file of predictions"),
    "a system that is not there": (lambda f: [f], ["rte"], "tuned", "no column prediction_tuned"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_cannot_be_compared_is_an_error(case: str, run: Run) -> None:
    folders, tasks, system, message = FAULTS[case]
    with pytest.raises((DataError, SoftLabelError), match=message):
        seeds.compare(folders(run("first")), tasks, system)
