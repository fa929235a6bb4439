"""Results on disk: one JSON file a benchmark, and the tables of docs/performance.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.figures import Findings, Options
from benchmarks.rounds import ROOT
from pipeline.evaluation.report import page_blocks
from pipeline.evaluation.report.markdown_table import markdown as render
from pipeline.runtime import artifacts

RESULTS = Path(__file__).parent / "results"
ROUNDS = 5
"""Fewest rounds after which a target counts as met or missed."""
PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- benchmarks:begin -->", "<!-- benchmarks:end -->"


def write(name: str, findings: Findings, computer: Mapping[str, Any], options: Options) -> None:
    """Write benchmarks/results/<name>.json.

    Args:
        name: the benchmark's.
        findings: its figures and tables.
        computer: as of `computer.describe`.
        options: of the command line; the path of the data is not written.
    """
    artifacts.write_json(
        RESULTS / f"{name}.json",
        {
            "benchmark": name,
            "computer": dict(computer),
            "repeats": options.repeats,
            "rows_asked_for": options.rows,
            "real_rows": options.data is not None,
            "settings": findings.settings,
            "figures": [figure.to_dict() for figure in findings.figures],
            "readings": findings.readings,
            "tables": [table.to_dict() for table in findings.tables],
        },
    )


def read(names: Sequence[str]) -> list[dict[str, Any]]:
    """Written results in the order of the names; those that were never run are left out."""
    files = [RESULTS / f"{name}.json" for name in names]
    return [artifacts.read_json(file) for file in files if file.is_file()]


def write_page(results: Sequence[Mapping[str, Any]], page: Path = PAGE) -> None:
    """Put the tables between the page's markers.

    Raises:
        DataError: the page has no markers.
    """
    page_blocks.fill(page, BEGIN, END, markdown(results))


def markdown(results: Sequence[Mapping[str, Any]]) -> str:
    """Markdown of the page: all figures in one table, then each benchmark's section."""
    rows = [_figure(result, figure) for result in results for figure in result["figures"]]
    sections = (block for result in results for block in _section(result))
    return "\n\n".join([render(pd.DataFrame(rows)), *sections])


def show(value: float, unit: str) -> str:
    """A ratio with two digits behind the point, a percentage with one."""
    return f"{value:.1f} %" if unit == "%" else f"{value:.2f} {unit}"


def _figure(result: Mapping[str, Any], figure: Mapping[str, Any]) -> dict[str, str]:
    """A row of the table of figures."""
    unit, rounds = figure["unit"], len(figure["values"])
    low, middle, high = (show(figure[key], unit) for key in ("min", "median", "max"))
    return {
        "benchmark": f"`{result['benchmark']}`",
        "figure": figure["name"],
        "median": f"**{middle}**",
        "range": f"{low} to {high}" if rounds > 1 else "-",
        "repeats": str(rounds),
        "target": f"at {figure['bound']} {figure['target']:g} {unit}",
        "met": _verdict(result, figure),
        "processor, kernels, products": _processor(result["computer"]),
    }


def _verdict(result: Mapping[str, Any], figure: Mapping[str, Any]) -> str:
    """Yes or no; undecided after too few rounds or with fewer rows than the benchmark sets."""
    if result["repeats"] < ROUNDS or result["rows_asked_for"]:
        return "undecided"
    return "yes" if figure["met"] else "no"


def _section(result: Mapping[str, Any]) -> Iterator[str]:
    """Blocks of a benchmark's section."""
    yield f"### `{result['benchmark']}`"
    yield f"{result['settings']}{_note(result)}"
    yield _computer(result["computer"])
    if result["readings"]:
        yield render(_rates(result["readings"]))
    for table in result["tables"]:
        yield table["title"]
        yield render(pd.DataFrame(table["rows"], columns=table["columns"]))


def _note(result: Mapping[str, Any]) -> str:
    rows = result["rows_asked_for"]
    note = f" **A quick look, with {rows:,} rows only.**" if rows else ""
    return note + (" Tokens of real rows." if result["real_rows"] else "")


def _processor(computer: Mapping[str, Any]) -> str:
    """What decides how fast products are; results from before it was kept name the processor."""
    names = (computer.get(key) for key in ("cpu", "kernels", "products"))
    return "; ".join(name for name in names if name)


def _computer(computer: Mapping[str, Any]) -> str:
    libraries = ", ".join(f"{name} {of}" for name, of in sorted(computer["libraries"].items()))
    return (
        f"{_processor(computer)}; {computer['cores']} cores; {libraries}; commit "
        f"{computer['commit']}; load average at the start {computer['load_at_start']}."
    )


def _rates(readings: Mapping[str, Sequence[Mapping[str, float]]]) -> pd.DataFrame:
    """Median examples a second over the rounds: a row a contestant, by name."""
    return pd.DataFrame([_rate(label, pd.DataFrame(readings[label])) for label in sorted(readings)])


def _rate(label: str, rounds: pd.DataFrame) -> dict[str, str]:
    examples = rounds["examples"]
    return {
        "contestant": label,
        "examples": f"{examples.iloc[0]:,}",
        "a CPU-second, median": f"{(examples / rounds['cpu_seconds']).median():,.1f}",
        "a second, median": f"{(examples / rounds['wall_seconds']).median():,.1f}",
    }
