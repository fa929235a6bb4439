"""Result files and the page's tables.

Run with: python -m pytest tests/benchmarks/test_report.py
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import __main__ as command_line
from benchmarks import report
from benchmarks.figures import Figure, Findings, Options, Table
from pipeline.errors import PipelineError

COMPUTER = {
    "cpu": "A CPU",
    "cores": 2,
    "libraries": {"torch": "1.0"},
    "commit": "abc",
    "load_at_start": 0.5,
}
FINDINGS = Findings(
    [Figure("speed", "x", (2.0, 4.0, 3.0), 2.5), Figure("padding", "%", (7.26,), 5.0, "most")],
    "What was run.",
    {"ours": [{"examples": 100, "cpu_seconds": 4.0, "wall_seconds": 5.0}]},
    [Table("More", ("name", "number"), (("a", "1"),))],
)


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    report.write("trainer", FINDINGS, COMPUTER, Options(3, rows=96))
    return report.read(["limit", "trainer"])


def test_figures_have_median_range_and_target(results) -> None:
    lines = report.markdown(results).splitlines()
    assert lines[2:4] == [
        "| `trainer` | speed | **3.00 x** | 2.00 x to 4.00 x | 3 | at least 2.5 x | undecided |",
        "| `trainer` | padding | **7.3 %** | - | 1 | at most 5 % | undecided |",
    ]
    assert "| ours | 100 | 25.0 | 20.0 |" in lines
    assert "| a | 1 |" in lines
    assert "What was run. **A quick look, with 96 rows only.**" in lines
    assert any("A CPU, 2 cores" in line and "load average" in line for line in lines)


@pytest.mark.parametrize(
    ("options", "verdicts"),
    [
        (Options(5), ["yes", "no"]),
        (Options(4), ["undecided", "undecided"]),
        (Options(5, rows=96), ["undecided", "undecided"]),
    ],
)
def test_few_rounds_or_rows_decide_nothing(tmp_path, monkeypatch, options, verdicts) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    report.write("trainer", FINDINGS, COMPUTER, options)
    lines = report.markdown(report.read(["trainer"])).splitlines()[2:4]
    assert [line.split(" | ")[-1].removesuffix(" |") for line in lines] == verdicts


def test_only_what_is_between_the_markers_changes(results, tmp_path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nstale\n{report.END}\nafter\n")
    report.write_page(results, page)
    once = page.read_text()
    assert once.startswith("before\n")
    assert once.endswith("after\n")
    assert "stale" not in once
    report.write_page(results, page)
    assert page.read_text() == once


def test_a_page_without_markers_is_left_alone(results, tmp_path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n")
    with pytest.raises(PipelineError, match="no markers"):
        report.write_page(results, page)
    assert page.read_text() == "before\n"


def test_the_committed_page_is_that_of_the_committed_results() -> None:
    text = report.PAGE.read_text(encoding="utf-8")
    results = report.read(command_line.NAMES)
    assert results
    assert report.markdown(results) in text, "run `python -m benchmarks page`"


def test_every_benchmark_is_a_module() -> None:
    folder = Path(command_line.__file__).parent
    assert all((folder / f"{name}.py").is_file() for name in command_line.NAMES)
