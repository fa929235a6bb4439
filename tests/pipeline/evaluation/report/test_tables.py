from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.evaluation import summary
from pipeline.evaluation.baselines import Choice
from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.report import tables
from pipeline.evaluation.significance import Difference


def _rows(text: str) -> dict[str, list[str]]:
    """Cells of each line of the table, by the line's first cell."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return {line[0]: line[1:] for line in lines}


def _interval(gap: Difference | None) -> str:
    assert gap is not None
    return f"{100 * gap.low:.1f} to {100 * gap.high:.1f}"


def _ends(result: TaskResult) -> str:
    return _interval(result.comparison.difference)


def test_table(results: list[TaskResult]) -> None:
    mrpc, mnli = results[1:3]
    # RTE: rows give 0, 1, 1 and -1. Of 256 draws of four, 5 sum up to -3 or less, which is below
    # 2.5 %, and 16 to 4; so the ends are -2 and 4 of 4.
    table = _rows(tables.scores(results))
    assert list(table) == [
        "Task (metric)",
        "---",
        "RTE (accuracy)",
        "MRPC (F1 / accuracy)",
        "MNLI (accuracy; matched / mismatched)",
        "STS-B (Pearson / Spearman)",
        "**GLUE score over 4 of 9 tasks**",
        "Mean over tasks with teachers (1)",
        "Parameters, millions",
    ]
    assert table["RTE (accuracy)"] == [
        "50.0",
        "75.0 (75.0 to 75.0)",
        "100.0",
        "50.0",
        "**75.0**",
        "+25.0 (-50.0 to 100.0)",
    ]
    assert table["MRPC (F1 / accuracy)"] == [
        "66.7 / 50.0",
        "-",
        "-",
        "66.7 / 50.0",
        "**66.7 / 75.0**",
        f"+12.5 ({_ends(mrpc)})",
    ]
    assert table["MNLI (accuracy; matched / mismatched)"][4:] == [
        "**75.0 / 50.0**",
        f"-12.5 ({_ends(mnli)})",
    ]
    assert table["**GLUE score over 4 of 9 tasks**"] == [
        "33.3",
        "-",
        "-",
        "45.8",
        "**77.1**",
        f"+31.2 ({_interval(summary.glue_difference(results))})",
    ]
    assert table["Mean over tasks with teachers (1)"] == [
        "-",
        "75.0",
        "100.0",
        "50.0",
        "**75.0**",
        "+25.0 (-50.0 to 100.0)",
    ]
    assert table["Parameters, millions"] == ["-", "22.70", "45.40", "17.30", "17.30", "-"]
    assert {len(line) for line in table.values()} == {6}


def test_all_nine_tasks_are_the_glue_score(results: list[TaskResult]) -> None:
    assert "| **GLUE score** |" in tables.scores([results[0]] * 9)


def test_one_teacher_has_no_range(results: list[TaskResult]) -> None:
    scores = {name: score for name, score in results[0].scores.items() if name != "teacher_m2"}
    table = _rows(tables.scores([replace(results[0], scores=scores)]))
    assert table["RTE (accuracy)"][1] == "75.0"
    assert table["Parameters, millions"][1:3] == ["22.70", "22.70"]


def test_members_of_other_sizes_show_a_range(results: list[TaskResult]) -> None:
    large = {**results[0].models["teacher_m2"], "parameters": 110_000_000}
    result = replace(results[0], models={**results[0].models, "teacher_m2": large})
    table = _rows(tables.scores([result]))
    assert table["Parameters, millions"][1:3] == ["22.70 to 110.00", "132.70"]


def test_a_member_of_several_folds_has_the_parameters_of_all(results: list[TaskResult]) -> None:
    manifest = results[0].models["teacher_m2"]
    crossed = {**manifest, "by_fold": {"1": {}, "2": {}, "3": {"parameters": 2_700_000}}}
    result = replace(results[0], models={**results[0].models, "teacher_m2": crossed})
    table = _rows(tables.scores([result]))
    # 22.7 of m1; 22.7 + 22.7 + 2.7 of m2.
    assert table["Parameters, millions"][1:3] == ["22.70 to 48.10", "70.80"]


def test_the_tuned_student_has_a_column_where_there_is_one(results: list[TaskResult]) -> None:
    scores = {**results[0].scores, "tuned": {"dev": {"accuracy": 0.9}}}
    models = {**results[0].models, "tuned": {"parameters": 17_200_000}}
    tuned = replace(results[0], scores=scores, models=models)
    table = _rows(tables.scores([tuned, *results[1:]]))
    assert table["Task (metric)"][-3:] == ["Student", "Tuned", "Student - baseline"]
    column = {name: cells[5] for name, cells in table.items() if name != "Task (metric)"}
    assert column == {
        "---": "---:",
        "RTE (accuracy)": "90.0",
        "MRPC (F1 / accuracy)": "-",
        "MNLI (accuracy; matched / mismatched)": "-",
        "STS-B (Pearson / Spearman)": "-",
        "**GLUE score over 4 of 9 tasks**": "-",
        "Mean over tasks with teachers (1)": "-",
        "Parameters, millions": "17.20",
    }
    assert {len(cells) for cells in table.values()} == {7}


def test_the_other_baseline_and_the_best_candidate_have_columns(results: list[TaskResult]) -> None:
    """The baseline of the steps counts, so that of the epochs has a column of its own."""
    others = [
        replace(
            result,
            choice=Choice("steps", "dev", {"epochs": 0.5, "steps": 0.6}),
            scores={
                **result.scores,
                "multitask": result.scores["student"],
                "baseline_steps": result.scores["baseline"],
            },
            models={**result.models, "multitask": {"parameters": 22_700_000}},
        )
        for result in results
    ]
    table = _rows(tables.scores(others))
    assert table["Task (metric)"][3:7] == ["Multi-task", "Baseline, epochs", "Baseline", "Student"]
    assert table["RTE (accuracy)"][3:7] == ["75.0", "50.0", "50.0", "**75.0**"]
    assert table["**GLUE score over 4 of 9 tasks**"][3:7] == ["77.1", "45.8", "45.8", "**77.1**"]
    assert table["Mean over tasks with teachers (1)"][3:6] == ["75.0", "50.0", "50.0"]
    assert table["Parameters, millions"][3:7] == ["22.70", "17.30", "17.30", "17.30"]
    assert {len(cells) for cells in table.values()} == {8}


def test_no_figure_is_minus_nothing(results: list[TaskResult]) -> None:
    gap = Difference(-0.0001, -0.0003, 0.0004)
    scores = {**results[0].scores, "student": {"dev": {"accuracy": 0.4999}}}
    result = replace(
        results[0], scores=scores, comparison=replace(results[0].comparison, difference=gap)
    )
    table = _rows(tables.scores([result]))
    assert table["RTE (accuracy)"][-1] == "0.0 (0.0 to 0.0)"


def test_a_task_of_ones_own_without_teachers_has_lines_of_its_own_alone(
    results: list[TaskResult],
) -> None:
    own = replace(results[3], task=replace(results[3].task, glue=False))
    table = _rows(tables.scores([own]))
    assert list(table)[2:] == ["STS-B (Pearson / Spearman)", "Parameters, millions"]
    assert table["STS-B (Pearson / Spearman)"][1:3] == ["-", "-"]
    assert _rows(tables.checks([own]))["STS-B"] == ["-"] * 3


def test_checks(results: list[TaskResult]) -> None:
    table = _rows(tables.checks(results))
    assert table == {
        "Task": [
            "McNemar p",
            "Holm p",
            "ECE ensemble",
            "ECE baseline",
            "ECE student",
            "Members agree",
        ],
        "---": ["---:"] * 6,
        "RTE": ["1.000", "1.000", "21.8", "38.1", "13.1", "50.0 (kappa 0.20)"],
        "MRPC": ["1.000", "1.000", "-", "38.1", "13.1", "-"],
        "MNLI": ["1.000", "1.000", "-", "12.0", "12.0", "-"],
        "STS-B": ["-"] * 6,
    }


P_VALUES = {"large": (0.25, "0.250"), "small": (0.001, "0.001"), "smaller": (0.0009, "< 0.001")}


@pytest.mark.parametrize("case", P_VALUES)
def test_p_is_corrected_for_all_tasks(case: str, results: list[TaskResult]) -> None:
    p, text = P_VALUES[case]
    rte = replace(results[0], comparison=replace(results[0].comparison, p_value=p))
    table = _rows(tables.checks([rte, *results[1:]]))
    assert table["RTE"][0] == text
    # Three tasks have accuracy, and the others' p is 1.
    assert table["RTE"][1] == f"{3 * p:.3f}"


AGREEMENTS: dict[str, tuple[dict[str, float | None], str]] = {
    "classes": ({"agreement": 0.925, "kappa": 0.5}, "92.5 (kappa 0.50)"),
    "one class only": ({"agreement": 1.0, "kappa": None}, "100.0"),
    "scores": ({"correlation": 0.934}, "r 0.93"),
    "constant scores": ({"correlation": None}, "-"),
}


@pytest.mark.parametrize("case", AGREEMENTS)
def test_agreement_of_members(case: str, results: list[TaskResult]) -> None:
    measures, text = AGREEMENTS[case]
    result = replace(results[0], agreement={("m1", "m2"): measures})
    assert _rows(tables.checks([result]))["RTE"][-1] == text
