"""Show what each stage cost when it last ran: wall time, CPU time, peak memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline import stage_registry
from pipeline.errors import DataError
from pipeline.runtime import resource_usage
from stages import _cli

app = _cli.application()


@app.command()
def main() -> None:
    """Show what each stage cost when it last ran: wall time, CPU time, peak memory.

    Reads scratch/usage, where every stage that DVC runs writes its cost.
    Prints a Markdown table, one line per stage, its instances added up.

    Example: mtdnnkd usage
    """
    recorded = resource_usage.read()
    if not recorded:
        raise DataError(
            "no stage has left its cost here; only those that DVC runs do",
            where=resource_usage.FOLDER,
            fix="make repro; stages that are up to date are not run and leave none",
        )
    print(_table(recorded))


def _table(recorded: Sequence[Mapping[str, Any]]) -> str:
    """Costs by stage in Markdown: sums over its instances, and the highest peak of one."""
    import pandas as pd

    costs = pd.DataFrame(recorded)
    costs["stage"] = costs["stage"].str.partition("@")[0]
    table = costs.groupby("stage").agg(
        **{
            "runs": ("stage", "size"),
            "wall seconds": ("wall_seconds", "sum"),
            "CPU seconds": ("cpu_seconds", "sum"),
            "peak MiB": ("peak_mib", "max"),
        }
    )
    ordered = table.sort_index(key=lambda stages: stages.map(stage_registry.order))
    cells = ordered.map("{:,.0f}".format).reset_index()
    aligned = ("left", *["right"] * (len(cells.columns) - 1))
    return cells.to_markdown(index=False, disable_numparse=True, colalign=aligned)


if __name__ == "__main__":
    _cli.run(app)
