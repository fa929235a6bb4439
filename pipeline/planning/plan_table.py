"""A plan as text: one line a stage, then what it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from pipeline.planning import estimates
from pipeline.planning.cost import GIB
from pipeline.planning.devices import Device
from pipeline.planning.estimates import Estimate
from pipeline.planning.plan import SIDE_BY_SIDE, Plan
from pipeline.planning.stage_runs import Run

COLUMNS = (
    "stage",
    "runs",
    "steps",
    "million tokens",
    "million parameters",
    "PFLOP",
    "GiB of memory",
    "hours",
)
Costed = list[tuple[Run, Estimate | None]]


def lines(plan: Plan, device: Device, devices: int) -> list[str]:
    """A Markdown table and notes.

    Args:
        plan: all runs.
        device: what trains.
        devices: how many of them work side by side.

    Raises:
        ParamsError: the device has no fast products of `machine.precision`.
    """
    machine = plan.params.machine
    costed = [(run, estimates.of(run, device, machine)) for run in plan.runs]
    return [*_table(costed), "", *(f"- {note}" for note in _notes(plan, costed, device, devices))]


def hours(costed: Costed, devices: int) -> float:
    """Hours until all stages are done, each group of stages after the one before."""
    seconds = 0.0
    for group in SIDE_BY_SIDE:
        own = sorted(
            (run.job.name, estimate.seconds)
            for run, estimate in costed
            if run.stage in group and estimate is not None
        )
        seconds += estimates.wall([duration for _, duration in own], devices)
    return seconds / 3600


def _table(costed: Costed) -> Iterator[str]:
    yield _row(COLUMNS)
    yield "|---|" + "---:|" * (len(COLUMNS) - 1)
    for stage, group in groupby(costed, key=lambda pair: pair[0].stage):
        yield _row((stage, *_cells(list(group))))
    yield _row(("**all**", *_cells(costed)))


def _cells(costed: Costed) -> tuple[str, ...]:
    known = [(run, estimate) for run, estimate in costed if estimate is not None]
    open_ = "" if len(known) == len(costed) else ("at least " if known else "?")
    if not known:
        return (str(len(costed)), *["?"] * 6)
    steps = sum(run.steps for run, _ in known)
    tokens = sum(run.tokens for run, _ in known) / 1e6
    flop = sum(estimate.flop for _, estimate in known) / 1e15
    spent = sum(estimate.seconds for _, estimate in known) / 3600
    return (
        str(len(costed)),
        f"{open_}{steps:,}",
        f"{open_}{_number(tokens)}",
        f"{open_}{_number(max(run.weights for run, _ in known) / 1e6)}",
        f"{open_}{_number(flop)}",
        f"{open_}{max(estimate.memory.total for _, estimate in known) / GIB:.1f}",
        f"{open_}{_number(spent)}",
    )


def _notes(plan: Plan, costed: Costed, device: Device, devices: int) -> Iterator[str]:
    precision = device.precision(plan.params.machine.precision)
    reached, peak = device.reached[precision], device.peak[precision] / 1e12
    least = "at least " if any(estimate is None for _, estimate in costed) else ""
    flop = sum(estimate.flop for _, estimate in costed if estimate is not None) / 1e12
    products = flop / (reached * peak) / devices / 3600
    yield (
        f"{devices} x {device.title}, {precision}: {least}{hours(costed, devices):.3g} hours in "
        f"all. The products alone, at {reached:.0%} of {peak:g} TFLOP/s, would take "
        f"{least}{products:.3g}."
    )
    yield (
        "Steps and tokens are those of training, without scoring; the table's hours are of runs "
        "one after another."
    )
    if plan.params.machine.precision == "auto" and {*device.peak} == {"float32", "float16"}:
        yield f"{device.name} has no bfloat16; machine.precision=float16 would be faster."
    yield from _memory(costed, device)
    yield (
        f"The models' weights take {_disk(plan, costed) / GIB:.0f} GiB of disk, and as much again "
        "in DVC's cache where the file system cannot share them."
    )
    yield _rows(plan)
    if any(run.job.settings.early_stopping for run, _ in costed):
        yield "Early stopping may end runs sooner: all epochs are counted."
    for reason in dict.fromkeys(run.unknown for run, _ in costed if run.unknown):
        yield f"?: {reason}."


def _disk(plan: Plan, costed: Costed) -> float:
    """Bytes of all weights; selected candidates and their copies for members included."""
    copies = min(plan.params.selection.top, len(plan.params.refinement.candidates))
    copies += sum(member.refined is not None for member in plan.params.teachers.members.values())
    refined = [estimate.disk for run, estimate in costed if estimate and run.stage == "refine"]
    return sum(estimate.disk for _, estimate in costed if estimate) + copies * max(
        refined, default=0
    )


def _memory(costed: Costed, device: Device) -> Iterator[str]:
    known = [(run, estimate) for run, estimate in costed if estimate is not None]
    if not known:
        return
    run, largest = max(known, key=lambda pair: pair[1].memory.total)
    need = largest.memory
    settings = run.job.settings
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
    known = [amount for amount in plan.amounts.values() if amount is not None]
    prepared = [amount.task.title for amount in known if amount.train is not None]
    others = [amount.task.title for amount in known if amount.train is None]
    numbers = "the generator's" if plan.params.data.settings.generated else "GLUE's official"
    parts = []
    if prepared:
        parts.append(f"as prepared for {', '.join(prepared)}")
    if others:
        parts.append(f"{numbers} numbers, capped, for {', '.join(others)}")
    tabled = [amount.task.title for amount in known if not amount.measured]
    note = f"Rows: {'; '.join(parts)}."
    return note + (f" Lengths by GLUE's table for {', '.join(tabled)}." if tabled else "")


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
