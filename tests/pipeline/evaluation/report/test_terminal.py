"""Results on a terminal: one score a system and task, at most 80 columns.

Run with: python -m pytest tests/pipeline/evaluation/report/test_terminal.py
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.report import figures, files, terminal
from pipeline.runtime import artifacts

GAP = {"score": -15.25, "low": -25.26, "high": -10.04}


def _metrics(results: list[TaskResult]) -> dict[str, Any]:
    """metrics.json as it is read: with its tasks in the order of the alphabet."""
    metrics: dict[str, Any] = json.loads(artifacts.dump_json(figures.nested(results)))
    return metrics


def _cells(table: str) -> dict[str, list[str]]:
    """Cells by a line's title, without the ends of intervals."""
    lines = [line.rpartition(" (")[0] for line in table.splitlines()[1:]]
    return {line[:17].strip(): line[17:].split() for line in lines}


def test_table(results: list[TaskResult]) -> None:
    table = terminal.table(_metrics(results))
    assert table.split()[:6] == ["Teachers", "Ensemble", "Baseline", "Student", "Student", "-"]
    assert _cells(table) == {
        "MRPC": ["-", "-", "58.3", "70.8", "+12.5"],
        "STS-B": ["-", "-", "0.0", "100.0", "+100.0"],
        "MNLI": ["-", "-", "75.0", "62.5", "-12.5"],
        "RTE": ["75.0", "100.0", "50.0", "75.0", "+25.0"],
        "GLUE score": ["-", "-", "45.8", "77.1", "+31.2"],
        "With teachers (1)": ["75.0", "100.0", "50.0", "75.0", "+25.0"],
    }


def test_a_difference_that_shows_as_nothing_has_no_sign(results: list[TaskResult]) -> None:
    metrics = _metrics(results[:1])
    metrics["tasks"]["rte"]["student_minus_baseline"] = {"score": -0.04, "low": -0.04, "high": 0.04}
    assert " ".join(terminal.table(metrics).splitlines()[1].split()).endswith(" 0.0 (0.0 to 0.0)")


def test_tasks_of_ones_own_with_long_names_stay_apart(results: list[TaskResult]) -> None:
    names = ["a_task_with_a_very_long_name_1", "a_task_with_a_very_long_name_2"]
    task = {**_metrics(results[:1])["tasks"]["rte"], "student_minus_baseline": GAP}
    metrics = {"glue": {"tasks": 0}, "tasks": dict.fromkeys(names, task), "gain_kept": None}
    lines = terminal.table(metrics).splitlines()
    assert len(lines) == 3
    assert max(map(len, lines)) <= terminal.WIDTH
    assert lines[1].endswith("-15.2 (-25.3 to -10.0)")


@pytest.mark.parametrize("taught", [True, False])
def test_page_fits_a_terminal(results: list[TaskResult], taught: bool) -> None:
    rows = results if taught else results[1:]
    wide = [replace(rows[0], task=replace(rows[0].task, title="A title")), *rows[1:]]
    missing = {"wnli": "the source has no train and no dev rows of it, and says so at length"}
    report = files.markdown(wide, missing)
    lines = terminal.page(_metrics(rows), report).splitlines()
    assert max(map(len, lines)) <= terminal.WIDTH
    text = " ".join(" ".join(lines).split())
    assert report.split("**")[1] in text
    assert f"WNLI is left out: {missing['wnli']}." in text
    assert "---:" not in text
    older = {name: figures for name, figures in _metrics(rows).items() if name != "cost"}
    assert "tokens" in text
    assert "tokens" not in terminal.page(older, report)
