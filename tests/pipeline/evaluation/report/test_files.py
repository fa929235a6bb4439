from __future__ import annotations

import csv
from pathlib import Path

import pytest

from pipeline import paths
from pipeline.errors import DataError
from pipeline.evaluation import summary
from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.report import data_notes, files, tables
from pipeline.runtime import artifacts

TEMPLATE = Path(__file__).resolve().parents[4] / ".dvc" / "plots" / "systems.json"
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
    assert {key: whole[key] for key in ("glue", "tasks", "gain_kept")}.items() <= summary.nested(
        results
    ).items()
    assert artifacts.read_json(files.SUMMARY) == summary.summary(results)
    assert paths.RESULTS.read_text() == files.markdown(results, MISSING)
    with files.SCORES.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert lines[0] == {"task": "RTE", "system": "majority", "metric": "accuracy", "value": "50.0"}
    assert len(lines) == len(summary.long(results))


def test_the_plot_reads_columns_that_are_written(results: list[TaskResult]) -> None:
    files.write(results, {})
    columns = files.SCORES.read_text().splitlines()[0].split(",")
    template = artifacts.read_json(TEMPLATE)
    axes = template["spec"]["encoding"]
    drawn = [template["facet"]["row"]["field"], axes["y"]["field"], axes["x"]["field"]]
    assert drawn == ["task", "system", "value"]
    assert {*drawn, "metric"} == set(columns)
    assert template["transform"] == [{"filter": "datum.metric === 'score'"}]
    assert ",student,score," in files.SCORES.read_text()


def test_written_twice_gives_the_same_bytes(results: list[TaskResult]) -> None:
    written = (paths.METRICS, files.SUMMARY, paths.RESULTS, files.SCORES)
    files.write(results, MISSING)
    first = [path.read_bytes() for path in written]
    files.write(results, MISSING)
    assert [path.read_bytes() for path in written] == first


def test_nothing_to_report_is_an_error() -> None:
    with pytest.raises(DataError, match="no task could be evaluated"):
        files.write([], MISSING)


BEGIN, END = files.BEGIN.format("glue"), files.END.format("glue")
FRAME = f"# Title\n\n{BEGIN}\n{{}}\n{END}\n\nMore.\n"


def test_readme_block_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(FRAME.format("old"))
    assert files.update_readme("new\n", readme)
    assert readme.read_text() == FRAME.format("\nnew\n")
    before = readme.stat().st_mtime_ns
    assert not files.update_readme("new\n", readme)
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
    assert not files.update_readme("new", readme)
    assert readme.read_text() == UNMARKED[case]


def test_no_readme_is_made(tmp_path: Path) -> None:
    assert not files.update_readme("new", tmp_path / "README.md")
    assert not (tmp_path / "README.md").exists()


def test_results_of_sample_and_of_real_data_have_a_block_each(tmp_path):
    readme = tmp_path / "README.md"
    blocks = [files.BEGIN.format(kind) + files.END.format(kind) for kind in ("sample", "glue")]
    readme.write_text("\n".join(blocks))
    assert files.update_readme("real figures", readme)
    assert files.update_readme(f"**{data_notes.SAMPLE_HEADLINE}** made figures", readme)
    sample, glue = readme.read_text().split(files.BEGIN.format("glue"))
    assert "made figures" in sample
    assert "real figures" in glue
    assert "real figures" not in sample
