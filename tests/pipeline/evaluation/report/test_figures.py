from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.evaluation import significance, summary
from pipeline.evaluation.baselines import Choice
from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.report import figures
from pipeline.tasks import GLUE


def _with(result: TaskResult, **accuracies: float) -> TaskResult:
    scores = {name: {"dev": {"accuracy": value / 100}} for name, value in accuracies.items()}
    return replace(result, scores={**result.scores, **scores})


# (student - baseline) / (ensemble - baseline) of RTE accuracies, in percent.
SHARES = {
    "half": (75, 50, 100, 0.5),
    "more than all": (100, 50, 75, 2.0),
    "nothing": (50, 50, 75, 0.0),
    "below the baseline": (25, 50, 75, -1.0),
    "ensemble level": (75, 50, 50, None),
    "ensemble below": (75, 50, 25, None),
}


@pytest.mark.parametrize("case", SHARES)
def test_share_of_the_gain_that_is_kept(case: str, results: list[TaskResult]) -> None:
    student, baseline, ensemble, share = SHARES[case]
    rte = _with(results[0], student=student, baseline=baseline, ensemble=ensemble)
    assert figures.nested([rte])["gain_kept"] == share
    assert figures.summary([rte]).get("gain_kept") == share


def test_a_hair_less_than_nothing_is_nothing(results: list[TaskResult]) -> None:
    rte = _with(results[0], student=49.99, baseline=50, ensemble=75)
    assert str(figures.summary([rte])["gain_kept"]) == "0.0"


def test_without_teachers_there_is_no_gain(results: list[TaskResult]) -> None:
    assert figures.nested(results[1:])["gain_kept"] is None
    assert "teacher_tasks" not in figures.nested(results[1:])


def test_nested_figures_are_percents_by_task_and_system(results: list[TaskResult]) -> None:
    whole = figures.nested(results)
    assert whole["glue"] == {
        "tasks": 4,
        "majority": 33.3333,  # (50 + (200/3 + 50)/2 + 25 + 0) / 4
        **dict.fromkeys(("baseline_epochs", "baseline"), 45.8333),  # 75 on MNLI
        "student": 77.0833,  # (75 + 425/6 + 62.5 + 100) / 4
        "student_minus_baseline": {
            "score": 31.25,
            "low": pytest.approx(-8.4, abs=1.5),
            "high": pytest.approx(57.5, abs=1.5),
        },
    }
    assert whole["tasks"]["rte"]["teachers"] == {
        "m1": {"accuracy": 75.0, "score": 75.0},
        "m2": {"accuracy": 75.0, "score": 75.0},
    }
    assert whole["tasks"]["mrpc"]["student"] == {"f1": 66.6667, "accuracy": 75.0, "score": 70.8333}
    assert whole["tasks"]["mnli"]["baseline"] == {
        "accuracy_matched": 50.0,
        "accuracy_mismatched": 100.0,
        "score": 75.0,
    }
    assert "ensemble" not in whole["tasks"]["mnli"]
    assert whole["teacher_tasks"] == {
        "tasks": ["rte"],
        "teachers": 75.0,
        "ensemble": 100.0,
        "baseline": 50.0,
        "student": 75.0,
        "student_minus_baseline": {"score": 25.0, "low": -50.0, "high": 100.0},
    }


def test_nested_figures_say_how_sure_they_are(results: list[TaskResult]) -> None:
    whole = figures.nested(results)
    rte, stsb = whole["tasks"]["rte"], whole["tasks"]["stsb"]
    assert rte["student_minus_baseline"] == {"score": 25.0, "low": -50.0, "high": 100.0}
    assert rte["mcnemar"] == {"p": 1.0, "p_holm": 1.0}
    assert rte["calibration_error"]["student"] == 13.0797
    shares = {"agreement": 50.0, "kappa": 0.2}
    assert rte["agreement"] == {"mean": shares, "pairs": {"m1 and m2": shares}}
    assert not {"mcnemar", "calibration_error", "agreement"} & stsb.keys()
    assert whole["statistics"]["resamples"] == significance.RESAMPLES
    assert whole["statistics"]["correction"] == "Holm"


FIVE = ("student", "baseline", "difference", "low", "high")


def test_summary_says_by_task_whether_the_student_is_better(results: list[TaskResult]) -> None:
    short = figures.summary(results)
    assert list(short) == ["tasks", "glue", "teacher_tasks", "gain_kept"]
    assert list(short["tasks"]) == ["rte", "mrpc", "mnli", "stsb"]
    rte = dict(zip(FIVE, (75.0, 50.0, 25.0, -50.0, 100.0), strict=True))
    assert short["tasks"]["rte"] == short["teacher_tasks"] == rte
    assert [short["glue"][name] for name in FIVE[:3]] == [77.08, 45.83, 31.25]
    gap = summary.glue_difference(results)
    assert gap is not None
    assert short["glue"]["low"] == round(100 * gap.low, 2)
    assert short["glue"]["high"] == round(100 * gap.high, 2)
    assert short["gain_kept"] == 0.5


def test_summary_without_teachers_and_without_glue(results: list[TaskResult]) -> None:
    assert list(figures.summary(results[1:])) == ["tasks", "glue"]
    own = replace(results[3], task=replace(GLUE["stsb"], glue=False))
    assert list(figures.summary([own])) == ["tasks"]


def test_long_figures_have_one_value_a_line(results: list[TaskResult]) -> None:
    table = figures.long(results)
    lines = list(table.itertuples(index=False, name=None))
    assert list(table.columns) == ["task", "system", "metric", "value"]
    assert ("RTE", "teacher_m1", "accuracy", 75.0) in lines
    assert ("MNLI", "student", "accuracy_mismatched", 50.0) in lines
    assert ("STS-B", "majority", "score", 0.0) in lines
    assert len(lines) == 7 * 2 + 4 * 3 + 4 * 3 + 4 * 3
    assert len({line[:3] for line in lines}) == len(lines)


def test_nested_figures_name_the_baseline_that_counts(results: list[TaskResult]) -> None:
    choice = Choice("steps", "held_out", {"epochs": 0.5, "steps": 0.625}, 40)
    models = {**results[0].models, "baseline_steps": results[0].models["baseline"]}
    rte = replace(results[0], choice=choice, models=models)
    assert figures.nested([rte])["baseline"] == {
        "budget": "steps",
        "rule": "held_out",
        "scores": {"epochs": 50.0, "steps": 62.5},
        "held_out_rows": 40,
    }
