"""Run a benchmark: the command line `python -m benchmarks`."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import PipelineError
from stages import _cli

NAMES = (
    *("trainer", "distillation", "limit", "products"),
    *("labelling", "memory", "rows", "padding"),
)
"""Benchmarks in the order of the page: each is a module here with `measure(options)`."""
OTHERS = ("all", "page", "lengths", "gpu")

app = _cli.application()


@app.command()
def main(
    name: Annotated[str, typer.Argument(help=f"{', '.join(NAMES)}; or {', '.join(OTHERS)}.")],
    repeats: Annotated[int, typer.Option(min=1, help="Rounds of every contestant.")] = 5,
    data: Annotated[
        Path | None, typer.Option(help="GLUE folder in the published layout; none is needed.")
    ] = None,
    rows: Annotated[
        int | None, typer.Option(min=32, help="Rows of every contestant, for a quick look.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the results of gpu.")] = Path(),
    minutes: Annotated[float, typer.Option(min=1, help="Most time that gpu uses.")] = 10,
) -> None:
    """Run a benchmark; write benchmarks/results/<name>.json and docs/performance.md.

    `all` runs every benchmark, `page` only rewrites docs/performance.md. `lengths` counts the
    tokens of the rows in --data and writes benchmarks/lengths.json, which the benchmarks read.
    `gpu` compares with transformers' Trainer on a GPU and writes gpu.json and gpu.md to --out.

    Example: python -m benchmarks trainer --repeats 5
    """
    if name not in (*NAMES, *OTHERS):
        raise PipelineError("no such benchmark", seen=name, fix="python -m benchmarks --help")
    if name == "lengths":
        _count(data)
        return
    if name == "gpu":
        _race_on_gpu(out, minutes, repeats, rows)
        return
    from benchmarks import report

    for benchmark in {"all": NAMES, "page": ()}.get(name, (name,)):
        _run(benchmark, repeats, data, rows)
    report.write_page(report.read(NAMES))


def _run(name: str, repeats: int, data: Path | None, rows: int | None) -> None:
    from benchmarks import computer, report
    from benchmarks.figures import Options

    machine = computer.describe()
    options = Options(repeats, None if data is None else data.resolve(), rows)
    findings = import_module(f"benchmarks.{name}").measure(options)
    for figure in findings.figures:
        low, middle, high = (
            report.show(value, figure.unit)
            for value in (min(figure.values), figure.median, max(figure.values))
        )
        print(f"{name}: {figure.name}: {middle} ({low} to {high}), target {figure.target:g}")
    report.write(name, findings, machine, options)


def _count(data: Path | None) -> None:
    if data is None:
        raise PipelineError(
            "lengths needs the rows to count",
            seen="no --data",
            fix="python -m benchmarks lengths --data folder",
        )
    from benchmarks import lengths

    lengths.write(data)
    print(f"written: {lengths.COUNTS}", file=sys.stderr)


def _race_on_gpu(out: Path, minutes: float, repeats: int, rows: int | None) -> None:
    from benchmarks import gpu

    gpu.measure(out, minutes, repeats, rows=rows)
    print(f"written: {out / 'gpu.json'}, {out / 'gpu.md'}", file=sys.stderr)


if __name__ == "__main__":
    _cli.run(app)
