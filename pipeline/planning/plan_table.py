"""Print a plan: a table with one line per stage, then notes on its assumptions."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import pandas as pd

from pipeline import stage_registry
from pipeline.planning import estimates
from pipeline.planning.cost import GIB
from pipeline.planning.devices import Device
from pipeline.planning.plan import Plan

WIDTH = 80
"""Columns of a terminal into which table and notes fit."""
ALL = "all"
"""Name of the line that sums up all stages."""
UNITS = {
    "steps": ("steps", 1.0),
    "tokens": ("M tokens", 1e6),
    "weights": ("M weights", 1e6),
    "flop": ("PFLOP", 1e15),
    "memory": ("GiB", GIB),
    "seconds": ("hours", 3600.0),
}
"""Header of each column of costs, and what its figures are divided by."""


def lines(plan: Plan, device: Device, devices: int) -> list[str]:
    """A table and notes, at most `WIDTH` columns wide; each note is an item of a Markdown list.

    Args:
        plan: all runs.
        device: what trains.
        devices: how many of them work in parallel.

    Raises:
        ParamsError: the device has no fast products of `machine.precision`.
    """
    runs = costs(plan, device)
    table = _text(totals(runs)).rename_axis(columns="stage", index=None).to_string()
    notes = (
        line
        for note in _notes(plan, runs, device, devices)
        for line in textwrap.wrap(
            note, WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False
        )
    )
    return [*table.splitlines(), "", *notes]


def costs(plan: Plan, device: Device) -> pd.DataFrame:
    """The cost of each run, one row per run, in the order of the plan.

    Returns:
        Columns `run` and `stage` (names), `steps`, `tokens` and `weights` (numbers), `flop`,
        `memory` and `disk` (bytes) and `seconds`; NaN where a run cannot be counted.

    Raises:
        ParamsError: the device has no fast products of `machine.precision`.
    """
    rows = []
    for run in plan.runs:
        row: dict[str, object] = {"run": run.job.name, "stage": run.stage}
        if (estimate := estimates.of(run, device, plan.params.machine)) is not None:
            row |= {"steps": run.steps, "tokens": run.tokens, "weights": run.weights}
            row |= {"flop": estimate.flop, "memory": estimate.memory.total}
            row |= {"disk": estimate.disk, "seconds": estimate.seconds}
        rows.append(row)
    return pd.DataFrame(rows, columns=["run", "stage", *UNITS, "disk"])


def totals(runs: pd.DataFrame) -> pd.DataFrame:
    """Costs by stage, the last line those of all stages.

    Args:
        runs: what `costs` returns.

    Returns:
        By stage `runs` and `known` (how many of them can be counted), sums of steps, tokens, flop
        and seconds, and the largest weights and memory of one run.
    """
    both = pd.concat([runs, runs.assign(stage=ALL)])
    return both.groupby("stage", sort=False).agg(
        runs=("run", "size"),
        known=("flop", "count"),
        steps=("steps", "sum"),
        tokens=("tokens", "sum"),
        weights=("weights", "max"),
        flop=("flop", "sum"),
        memory=("memory", "max"),
        seconds=("seconds", "sum"),
    )


def hours(runs: pd.DataFrame, devices: int) -> float:
    """Hours until all stages are done, each group of stages after the one before.

    Args:
        runs: what `costs` returns.
        devices: how many runs go in parallel.
    """
    known = runs.dropna(subset="seconds").sort_values("run")
    groups = (
        known.loc[known["stage"].isin(group), "seconds"] for group in stage_registry.SIDE_BY_SIDE
    )
    return sum(estimates.wall(seconds, devices) for seconds in groups) / 3600


def _text(table: pd.DataFrame) -> pd.DataFrame:
    """Each figure in its unit; `?` if it is unknown, `≥` before it if some runs are."""
    shown = table[["runs"]].astype(str)
    for column, (header, unit) in UNITS.items():
        spelling = {"steps": "{:,.0f}".format, "memory": "{:.1f}".format}.get(column, _number)
        figures = (table[column] / unit).map(spelling)
        figures = figures.where(table["known"] == table["runs"], "≥" + figures)
        shown[header] = figures.where(table["known"] > 0, "?")
    return shown


def _notes(plan: Plan, runs: pd.DataFrame, device: Device, devices: int) -> Iterator[str]:
    precision = device.precision(plan.params.machine.precision)
    reached, peak = device.reached[precision], device.peak[precision] / 1e12
    least = "at least " if runs["flop"].isna().any() else ""
    products = runs["flop"].sum() / 1e12 / (reached * peak) / devices / 3600
    yield (
        f"{devices} x {device.title}, {precision}: {least}{hours(runs, devices):.3g} hours in "
        f"all. The products alone, at {reached:.0%} of {peak:g} TFLOP/s, would take "
        f"{least}{products:.3g}."
    )
    yield (
        "Steps and tokens are those of training, without scoring. Hours of a stage are those of "
        "its runs one after another. Weights and GiB of memory are those of its largest run."
    )
    if least:
        yield "≥: some runs cannot be counted; the figure is that of the others."
    if plan.params.machine.precision == "auto" and {*device.peak} == {"float32", "float16"}:
        yield f"{device.name} has no bfloat16; machine.precision=float16 would be faster."
    yield from _memory(plan, runs, device)
    yield (
        f"The models' weights take {_disk(plan, runs) / GIB:.0f} GiB of disk, and as much again "
        "in DVC's cache where the file system cannot share them."
    )
    yield _rows(plan)
    if any(run.job.settings.early_stopping for run in plan.runs):
        yield "Early stopping may end runs sooner: all epochs are counted."
    yield _uncounted(plan)
    for reason in dict.fromkeys(run.unknown for run in plan.runs if run.unknown):
        yield f"?: {reason}."


def _uncounted(plan: Plan) -> str:
    """Stages without a line in the table, each with the number of its instances."""
    counted = {run.stage for run in plan.runs}
    numbers = {
        stage: len(stage_registry.instances(stage, plan.params))
        for stage in stage_registry.STAGES
        if stage not in counted
    }
    names = ", ".join(f"{stage} ({number})" for stage, number in numbers.items() if number)
    return f"Not counted, with the number of runs: {names}."


def _disk(plan: Plan, runs: pd.DataFrame) -> float:
    """Bytes of all weights; selected candidates and their copies for members included."""
    copies = min(plan.params.selection.top, len(plan.params.refinement.candidates))
    copies += sum(member.refined is not None for member in plan.params.teachers.members.values())
    refined = runs.loc[runs["stage"] == "refine", "disk"].dropna()
    return float(runs["disk"].sum()) + copies * float(max(refined, default=0.0))


def _memory(plan: Plan, runs: pd.DataFrame, device: Device) -> Iterator[str]:
    """Parts of the largest run's memory, and a warning if the device has less."""
    if runs["memory"].isna().all():
        return
    run = plan.runs[int(runs["memory"].argmax())]
    estimate = estimates.of(run, device, plan.params.machine)
    assert estimate is not None, "the largest run is one that is counted"
    need, settings = estimate.memory, run.job.settings
    yield (
        f"Memory is for {settings.batch_size} rows of {settings.max_length} tokens: "
        f"{run.job.name} needs {need.weights / GIB:.1f} GiB for weights, "
        f"{need.gradients / GIB:.1f} for gradients, {need.optimizer / GIB:.1f} for the optimizer, "
        f"{need.activations / GIB:.1f} for activations and {need.overhead / GIB:.1f} besides."
    )
    if device.memory is not None and need.total > device.memory:
        yield (
            f"**That is more than the {device.memory / GIB:.1f} GiB of {device.name}**: lower "
            "batch_size and raise accumulation alike, or lower max_length."
        )


def _rows(plan: Plan) -> str:
    """A note on the origin of the numbers and lengths of rows."""
    sizes = [size for size in plan.amounts.values() if size is not None]
    prepared = [size.task.title for size in sizes if size.train is not None]
    others = [size.task.title for size in sizes if size.train is None]
    numbers = "the generator's" if plan.params.data.settings.generated else "GLUE's official"
    parts = []
    if prepared:
        parts.append(f"as prepared for {', '.join(prepared)}")
    if others:
        parts.append(f"{numbers} numbers, capped, for {', '.join(others)}")
    tabled = [size.task.title for size in sizes if not size.measured]
    note = f"Rows: {'; '.join(parts)}."
    return note + (f" Lengths by GLUE's table for {', '.join(tabled)}." if tabled else "")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
