from __future__ import annotations

import csv
from pathlib import Path

import pytest

from pipeline import artifacts, paths
from pipeline.errors import DataError
from pipeline.results import figures, provenance, report, results_tables
from pipeline.results.evaluation import TaskResult

TEMPLATE = Path(__file__).resolve().parents[3] / ".dvc" / "plots" / "systems.json"
MISSING = {"wnli": "the source has no train and no dev rows of it"}


def test_first_line_is_the_headline(results: list[TaskResult]) -> None:
    first = report.markdown(results, MISSING).splitlines()[0]
    assert first == f"**{provenance.headline(results, MISSING)}**"


def test_two_tables_with_their_captions(results: list[TaskResult]) -> None:
    text = report.markdown(results, MISSING)
    parts = [
        results_tables.scores(results),
        results_tables.SCORES_CAPTION,
        results_tables.checks(results),
        results_tables.CHECKS_CAPTION,
    ]
    assert "\n\n".join(parts) in text
    assert f"- WNLI is left out: {MISSING['wnli']}.\n" in text


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
