from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import artifacts, figures, paths, provenance, report
from pipeline.errors import DataError
from pipeline.evaluation import TaskResult

TEMPLATE = Path(__file__).resolve().parents[3] / ".dvc" / "plots" / "systems.json"
MISSING = {"wnli": "the source has no train and no dev rows of it"}


def _rows(text: str) -> dict[str, list[str]]:
    """Cells of each line of the table, by the line's first cell."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return {line[0]: line[1:] for line in lines}


def test_table(results: list[TaskResult]) -> None:
    table = _rows(report.markdown(results, {}))
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
        "+25.0",
    ]
    assert table["MRPC (F1 / accuracy)"] == [
        "66.7 / 50.0",
        "-",
        "-",
        "66.7 / 50.0",
        "**66.7 / 75.0**",
        "+12.5",
    ]
    assert table["MNLI (accuracy; matched / mismatched)"][4:] == ["**75.0 / 50.0**", "-12.5"]
    assert table["**GLUE score over 4 of 9 tasks**"] == [
        "33.3",
        "-",
        "-",
        "45.8",
        "**77.1**",
        "+31.2",
    ]
    assert table["Mean over tasks with teachers (1)"] == [
        "-",
        "75.0",
        "100.0",
        "50.0",
        "**75.0**",
        "+25.0",
    ]
    assert table["Parameters, millions"] == ["-", "22.70", "45.40", "17.30", "17.30", "-"]
    assert {len(line) for line in table.values()} == {6}


def test_first_line_is_the_headline(results: list[TaskResult]) -> None:
    first = report.markdown(results, MISSING).splitlines()[0]
    assert first == f"**{provenance.headline(results, MISSING)}**"


def test_all_nine_tasks_are_the_glue_score(results: list[TaskResult]) -> None:
    assert "| **GLUE score** |" in report.markdown([results[0]] * 9, {})


def test_one_teacher_has_no_range(results: list[TaskResult]) -> None:
    scores = {name: found for name, found in results[0].scores.items() if name != "teacher_m2"}
    table = _rows(report.markdown([replace(results[0], scores=scores)], {}))
    assert table["RTE (accuracy)"][1] == "75.0"
    assert table["Parameters, millions"][1:3] == ["22.70", "22.70"]


def test_members_of_other_sizes_show_a_range(results: list[TaskResult]) -> None:
    large = {**results[0].models["teacher_m2"], "parameters": 110_000_000}
    result = replace(results[0], models={**results[0].models, "teacher_m2": large})
    table = _rows(report.markdown([result], {}))
    assert table["Parameters, millions"][1:3] == ["22.70 to 110.00", "132.70"]


def _with(result: TaskResult, **accuracies: float) -> TaskResult:
    scores = {name: {"dev": {"accuracy": value}} for name, value in accuracies.items()}
    return replace(result, scores={**result.scores, **scores})


SENTENCES = {
    "above": ({"student": 1.0}, "beats the baseline on 1 of 1 tasks: above it on RTE."),
    "level": ({"student": 0.5}, "beats the baseline on 0 of 1 tasks: level with it on RTE."),
    "below": ({"student": 0.25}, "beats the baseline on 0 of 1 tasks: below it on RTE."),
    "no better than majority": (
        {"student": 0.5, "baseline": 0.25},
        "It is not above the majority class on RTE.",
    ),
    "part kept": (
        {},
        "keeps 50 % of the 50.0 points that the ensembles gain over the baseline",
    ),
    "less than nothing kept": ({"student": 0.25}, "below 0: it is worse than the baseline there"),
    "a hair less than nothing kept": ({"student": 0.499}, "keeps 0 % of the 50.0 points"),
    "no gain to keep": ({"ensemble": 0.5}, "The ensembles are not above the baseline"),
    "noise": ({}, "on RTE, the smallest dev set, one row of 4 is 25.0 points."),
}


@pytest.mark.parametrize("case", SENTENCES)
def test_findings_in_words(case: str, results: list[TaskResult]) -> None:
    accuracies, expected = SENTENCES[case]
    assert expected in report.markdown([_with(results[0], **accuracies)], {})


def test_findings_over_several_tasks(results: list[TaskResult]) -> None:
    text = report.markdown(results, MISSING)
    assert (
        "The student beats the baseline on 3 of 4 tasks: above it on RTE, MRPC, STS-B; "
        "below it on MNLI." in text
    )
    assert f"- WNLI is left out: {MISSING['wnli']}." in text
    assert "No task has teachers" in report.markdown(results[1:], {})


def test_written_files(results: list[TaskResult]) -> None:
    report.write(results, MISSING)
    whole = artifacts.read_json(paths.METRICS)
    assert whole["missing"] == MISSING
    assert whole["gain_note"].startswith("The student keeps 50 %")
    assert {key: whole[key] for key in ("glue", "tasks", "gain_kept")}.items() <= figures.nested(
        results
    ).items()
    assert artifacts.read_json(report.SUMMARY) == figures.summary(results)
    assert paths.RESULTS.read_text() == report.markdown(results, MISSING)
    with report.SCORES.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert lines[0] == {"task": "RTE", "system": "majority", "metric": "accuracy", "value": "50.0"}
    assert len(lines) == len(figures.long(results))


def test_the_plot_reads_columns_that_are_written(results: list[TaskResult]) -> None:
    report.write(results, {})
    columns = report.SCORES.read_text().splitlines()[0].split(",")
    template = artifacts.read_json(TEMPLATE)
    axes = template["spec"]["encoding"]
    drawn = [template["facet"]["row"]["field"], axes["y"]["field"], axes["x"]["field"]]
    assert drawn == ["task", "system", "value"]
    assert {*drawn, "metric"} == set(columns)
    assert template["transform"] == [{"filter": "datum.metric === 'score'"}]
    assert ",student,score," in report.SCORES.read_text()


def test_written_twice_gives_the_same_bytes(results: list[TaskResult]) -> None:
    written = (paths.METRICS, report.SUMMARY, paths.RESULTS, report.SCORES)
    report.write(results, MISSING)
    first = [path.read_bytes() for path in written]
    report.write(results, MISSING)
    assert [path.read_bytes() for path in written] == first


def test_nothing_to_report_is_an_error() -> None:
    with pytest.raises(DataError, match="no task could be evaluated"):
        report.write([], MISSING)


BEGIN, END = report.BEGIN.format("glue"), report.END.format("glue")
FRAME = f"# Title\n\n{BEGIN}\n{{}}\n{END}\n\nMore.\n"


def test_readme_block_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(FRAME.format("old"))
    assert report.update_readme("new\n", readme)
    assert readme.read_text() == FRAME.format("\nnew\n")
    before = readme.stat().st_mtime_ns
    assert not report.update_readme("new\n", readme)
    assert readme.stat().st_mtime_ns == before
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["README.md"]


UNMARKED = {
    "no markers": "# Title\n",
    "no end": f"{BEGIN}\nold\n",
    "no begin": f"old\n{END}\n",
    "the wrong way round": f"{END}\nold\n{BEGIN}\n",
}


@pytest.mark.parametrize("case", UNMARKED)
def test_a_readme_without_the_markers_is_left_alone(case: str, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(UNMARKED[case])
    assert not report.update_readme("new", readme)
    assert readme.read_text() == UNMARKED[case]


def test_no_readme_is_made(tmp_path: Path) -> None:
    assert not report.update_readme("new", tmp_path / "README.md")
    assert not (tmp_path / "README.md").exists()


def test_results_of_sample_and_of_real_data_have_a_block_each(tmp_path):
    readme = tmp_path / "README.md"
    blocks = [report.BEGIN.format(kind) + report.END.format(kind) for kind in ("sample", "glue")]
    readme.write_text("\n".join(blocks))
    assert report.update_readme("real figures", readme)
    assert report.update_readme(f"**{provenance.SAMPLE_HEADLINE}** made figures", readme)
    sample, glue = readme.read_text().split(report.BEGIN.format("glue"))
    assert "made figures" in sample
    assert "real figures" in glue
    assert "real figures" not in sample
