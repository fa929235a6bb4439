"""Rows, steps and tokens of all models are added up by kind, by hand.

Run with: python -m pytest tests/pipeline/evaluation/report/test_cost.py
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline import paths
from pipeline.evaluation.baselines import Choice
from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.report import cost, files
from pipeline.runtime import artifacts, resource_usage
from stages import results as stage


def counts(number: int) -> dict[str, Any]:
    return {"steps": number, "epochs": 1, "rows": 10 * number, "tokens": 100 * number}


def counted(result: TaskResult) -> TaskResult:
    """RTE with counts of every model: m2 has two folds, and both baselines are trained."""
    numbers = {"teacher_m1": 1, "baseline_epochs": 5, "student": 7}
    models = {
        name: {**result.models[name], "trained": counts(number)} for name, number in numbers.items()
    }
    by_fold = {str(fold): {"trained": counts(fold)} for fold in (2, 3)}
    models["teacher_m2"] = {**result.models["teacher_m2"], "by_fold": by_fold}
    models["baseline_steps"] = {**result.models["baseline"], "trained": counts(6)}
    models["baseline"] = models["baseline_steps"]
    choice = Choice("steps", "dev", {"epochs": 0.5, "steps": 0.5})
    candidates = {"c2": counts(10), "c1": counts(20)}
    return replace(result, models=models, choice=choice, candidates=candidates)


def test_sums_by_kind(results: list[TaskResult]) -> None:
    sums = cost.costs([counted(results[0])])
    assert {kind: (one["steps"], one["rows"], one["tokens"]) for kind, one in sums.items()} == {
        "candidates": (30, 300, 3000),
        "teachers": (6, 60, 600),
        "baseline_epochs": (5, 50, 500),
        "baseline_steps": (6, 60, 600),
        "student": (7, 70, 700),
    }
    assert {kind: one["runs"] for kind, one in sums.items()} == {
        "candidates": ["refine@c2", "refine@c1"],
        "teachers": ["teach@rte-m1-all", "teach@rte-m2-2", "teach@rte-m2-3"],
        "baseline_epochs": ["baseline@epochs"],
        "baseline_steps": ["baseline@steps"],
        "student": ["distil"],
    }


def test_a_sum_with_an_unknown_part_is_not_known(results: list[TaskResult]) -> None:
    result = counted(results[0])
    plain = {name: dict(model) for name, model in result.models.items()}
    plain["teacher_m1"].pop("trained")
    sums = cost.costs([replace(result, models=plain)])
    assert [sums["teachers"][count] for count in cost.COUNTS] == [None] * 3
    lines = cost.table(sums).splitlines()
    assert "| Teachers | 3 | - | - | - |" in [" ".join(line.split()) for line in lines]
    assert [line.split("|")[1].strip() for line in lines[2:]] == [
        "Candidates",
        "Teachers",
        "Baseline, epochs",
        "Baseline, steps",
        "Student",
    ]


def test_the_report_has_the_sums_and_the_terminal_the_cpu_seconds_of_each_kind(
    results: list[TaskResult], capsys: Any, monkeypatch: Any
) -> None:
    """Seconds are no part of a file that DVC hashes; those of a run that is not known are `-`."""
    rte = counted(results[0])
    scores = {**rte.scores, "baseline_steps": rte.scores["baseline"]}
    files.write([replace(rte, scores=scores)], {})
    before = {path: path.read_bytes() for path in paths.EVALUATION.iterdir()}
    assert cost.table(cost.costs([rte])) in paths.RESULTS.read_text()
    seconds = {"refine@c1": 1000.4, "refine@c2": 2000, "teach@rte-m1-all": 5, "distil": 70.2}
    for name, one in seconds.items():
        artifacts.write_json(
            resource_usage.FOLDER / f"{name}.json", {"stage": name, "cpu_seconds": one}
        )
    stage.main()
    printed = " ".join(capsys.readouterr().out.split())
    assert (
        "CPU seconds of the last runs here, - if not known: baseline_epochs -, baseline_steps -, "
        "candidates 3,000, student 70, teachers -." in printed
    )
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    stage.main()
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert ["Teachers", "3", "60", "6", "600"] in [line.split() for line in lines]
    assert {path: path.read_bytes() for path in paths.EVALUATION.iterdir()} == before
