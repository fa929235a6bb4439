from __future__ import annotations

import csv
from pathlib import Path

import pytest

from pipeline import paths
from pipeline.errors import DataError
from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.report import data_notes, figures, files, tables
from pipeline.runtime import artifacts

MISSING = {"wnli": "the source has no train and no dev rows of it"}


def test_first_line_is_the_headline(results: list[TaskResult]) -> None:
    first = files.markdown(results, MISSING).splitlines()[0]
    assert first == f"**{data_notes.headline(results, MISSING)}**"


def test_two_tables_with_their_captions(results: list[TaskResult]) -> None:
    text = files.markdown(results, MISSING)
    parts = [
        tables.scores(results),
        tables.SCORES_CAPTION,
        tables.checks(results),
        tables.CHECKS_CAPTION,
    ]
    assert "\n\n".join(parts) in text
    assert f"- WNLI is left out: {MISSING['wnli']}.\n" in text


def test_written_files(results: list[TaskResult]) -> None:
    files.write(results, MISSING)
    whole = artifacts.read_json(paths.METRICS)
    assert whole["missing"] == MISSING
    assert whole["gain_note"].startswith("The student keeps 50 %")
    assert {key: whole[key] for key in ("glue", "tasks", "gain_kept")}.items() <= figures.nested(
        results
    ).items()
    assert artifacts.read_json(paths.SUMMARY) == figures.summary(results)
    assert paths.RESULTS.read_text() == files.markdown(results, MISSING)
    with paths.SCORES.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert lines[0] == {"task": "RTE", "system": "majority", "metric": "accuracy", "value": "50.0"}
    assert len(lines) == len(figures.long(results))
    predictions = sorted(path.stem for path in paths.EVALUATION.glob("*.parquet"))
    assert predictions == sorted(result.task.name for result in results)


def test_no_other_file_is_written(results: list[TaskResult]) -> None:
    before = {path for path in Path().rglob("*") if path.is_file()}
    files.write(results, MISSING)
    written = {path for path in Path().rglob("*") if path.is_file()} - before
    in_reports = {path for path in written if path.parent != paths.EVALUATION}
    assert in_reports == {paths.SUMMARY, paths.SCORES}


def test_written_twice_gives_the_same_bytes(results: list[TaskResult]) -> None:
    written = (paths.METRICS, paths.SUMMARY, paths.RESULTS, paths.SCORES)
    files.write(results, MISSING)
    first = [path.read_bytes() for path in written]
    files.write(results, MISSING)
    assert [path.read_bytes() for path in written] == first


def test_tasks_of_a_run_before_are_gone(results: list[TaskResult]) -> None:
    files.write(results, {})
    files.write(results[:1], {})
    assert [path.name for path in paths.EVALUATION.glob("*.parquet")] == ["rte.parquet"]


def test_nothing_to_report_is_an_error() -> None:
    with pytest.raises(DataError, match="no task could be evaluated"):
        files.write([], MISSING)
