"""Show what each stage cost when it last ran: wall time, CPU time, peak memory."""

from __future__ import annotations

from itertools import groupby

from pipeline import stage_registry
from pipeline.errors import DataError
from pipeline.runtime import resource_usage
from stages import _cli

app = _cli.application()


@app.command()
def main() -> None:
    """Show what each stage cost when it last ran: wall time, CPU time, peak memory.

    Reads scratch/usage, where every stage that DVC runs leaves its cost.
    Prints a Markdown table, a line a stage, its instances added up.

    Example: mtdnnkd usage
    """
    recorded = resource_usage.read()
    if not recorded:
        raise DataError(
            "no stage has left its cost here; only those that DVC runs do",
            where=resource_usage.FOLDER,
            fix="make repro; stages that are up to date are not run and leave none",
        )
    print("| stage | runs | wall seconds | CPU seconds | peak MiB |\n|---|---|---|---|---|")
    costs = sorted(recorded, key=lambda cost: stage_registry.order(cost["stage"]))
    for stage, group in groupby(costs, key=lambda cost: cost["stage"].partition("@")[0]):
        runs = list(group)
        wall = sum(run["wall_seconds"] for run in runs)
        cpu = sum(run["cpu_seconds"] for run in runs)
        peak = max(run["peak_mib"] for run in runs)
        print(f"| {stage} | {len(runs)} | {wall:,.0f} | {cpu:,.0f} | {peak:,.0f} |")


if __name__ == "__main__":
    _cli.run(app)
