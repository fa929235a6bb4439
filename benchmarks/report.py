"""Results on disk: one JSON file a benchmark, and the tables of docs/performance.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import Findings, Options
from benchmarks.rounds import ROOT
from pipeline.evaluation.report import page_blocks
from pipeline.runtime import artifacts

RESULTS = Path(__file__).parent / "results"
ROUNDS = 5
"""Fewest rounds after which a target counts as met or missed."""
PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- benchmarks:begin -->", "<!-- benchmarks:end -->"


def write(name: str, findings: Findings, computer: Mapping[str, Any], options: Options) -> None:
    """Keep what a benchmark found.

    Args:
        name: the benchmark's.
        findings: what it found.
        computer: as of `computer.describe`.
        options: what it was asked for; where its data lie is the machine's affair.
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
    """Kept results in the order of the names; those that were never run are left out."""
    files = [RESULTS / f"{name}.json" for name in names]
    return [artifacts.read_json(file) for file in files if file.is_file()]


def write_page(results: Sequence[Mapping[str, Any]], page: Path = PAGE) -> None:
    """Put the tables between the page's markers.

    Raises:
        DataError: the page has no markers.
    """
    page_blocks.fill(page, BEGIN, END, "\n".join(markdown(results)))


def markdown(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Lines of the page: all figures in one table, then each benchmark's own."""
    yield "| benchmark | figure | median | range | repeats | target | met |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | --- |"
    for result in results:
        for figure in result["figures"]:
            yield _figure(result, figure)
    for result in results:
        yield from _section(result)


def _figure(result: Mapping[str, Any], figure: Mapping[str, Any]) -> str:
    unit, values = figure["unit"], figure["values"]
    sign = "at least" if figure["bound"] == "least" else "at most"
    cells = (
        f"`{result['benchmark']}`",
        figure["name"],
        f"**{show(figure['median'], unit)}**",
        f"{show(figure['min'], unit)} to {show(figure['max'], unit)}" if len(values) > 1 else "-",
        str(len(values)),
        f"{sign} {figure['target']:g} {unit}",
        _verdict(result, figure),
    )
    return f"| {' | '.join(cells)} |"


def _verdict(result: Mapping[str, Any], figure: Mapping[str, Any]) -> str:
    """Few rounds or few rows decide nothing, whichever way they point."""
    if result["repeats"] < ROUNDS or result["rows_asked_for"]:
        return "undecided"
    return "yes" if figure["met"] else "no"


def show(value: float, unit: str) -> str:
    """A ratio with two digits behind the point, a percentage with one."""
    return f"{value:.1f} %" if unit == "%" else f"{value:.2f} {unit}"


def _section(result: Mapping[str, Any]) -> Iterator[str]:
    computer = result["computer"]
    yield f"\n### `{result['benchmark']}`\n"
    yield f"{result['settings']}{_note(result)}\n"
    libraries = ", ".join(f"{name} {of}" for name, of in sorted(computer["libraries"].items()))
    yield (
        f"{computer['cpu']}, {computer['cores']} cores, {libraries}; commit {computer['commit']}; "
        f"load average at the start {computer['load_at_start']}."
    )
    if result["readings"]:
        yield from _readings(result["readings"])
    for table in result["tables"]:
        yield f"\n{table['title']}\n"
        yield from _table(table["columns"], table["rows"])


def _note(result: Mapping[str, Any]) -> str:
    quick = result["rows_asked_for"]
    note = f" **A quick look, with {quick:,} rows only.**" if quick else ""
    return note + (" Tokens of real rows." if result["real_rows"] else "")


def _readings(readings: Mapping[str, Sequence[Mapping[str, float]]]) -> Iterator[str]:
    from statistics import median

    rows = []
    for label, found in readings.items():
        per_cpu, per_wall = (
            median(one["examples"] / one[seconds] for one in found)
            for seconds in ("cpu_seconds", "wall_seconds")
        )
        rows.append((label, f"{found[0]['examples']:,}", f"{per_cpu:,.1f}", f"{per_wall:,.1f}"))
    yield ""
    yield from _table(
        ("contestant", "examples", "a CPU-second, median", "a second, median"), sorted(rows)
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"| --- |{' ---: |' * (len(columns) - 1)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
