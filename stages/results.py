"""Print the results and the paths of all files."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence

from pipeline import paths, stage_registry
from pipeline.errors import DataError
from stages import _cli

app = _cli.application()

_WIDTH = 80

_PLACES = (
    *stage_registry.outputs(),
    (str(paths.RESULTS), "tables with all metrics and tests"),
    (str(paths.METRICS), "all figures; scores.csv: one a line"),
)


@app.command()
def main() -> None:
    """Print the results and the paths of all files.

    Reads data/evaluation, and scratch/usage for the CPU seconds of training. A terminal gets a
    table of task scores, at most 80 columns wide; a file or pipe gets data/evaluation/results.md.

    Example: mtdnnkd results
    """
    if not paths.RESULTS.exists():
        raise DataError(
            "nothing was run here, so there are no results",
            where=paths.EVALUATION,
            fix="make repro; or dvc pull, where a remote keeps the results of this commit",
        )
    print(_text())
    if seconds := _cpu_seconds():
        print(textwrap.fill(seconds, _WIDTH), end="\n\n")
    width = max(len(place) for place, _ in _PLACES)
    lines = [f"  {place:<{width}}  {content}" for place, content in _PLACES]
    print("Where everything lies:", *lines, sep="\n")


def _cpu_seconds() -> str:
    """CPU seconds of the runs behind the table of costs, which no hashed file may hold.

    They are those of each stage's last run here; one that DVC restored has none.
    """
    from pipeline.runtime import artifacts, resource_usage

    if not paths.METRICS.exists():
        return ""
    seconds = {one["stage"]: one["cpu_seconds"] for one in resource_usage.read()}
    costs = artifacts.read_json(paths.METRICS).get("cost", {}).items()  # none before 0.2.0
    if not costs:
        return ""
    parts = [f"{kind} {_sum([seconds.get(run) for run in cost['runs']])}" for kind, cost in costs]
    return f"CPU seconds of the last runs here, - if not known: {', '.join(parts)}."


def _sum(seconds: Sequence[float | None]) -> str:
    known = [one for one in seconds if one is not None]
    return f"{sum(known):,.0f}" if len(known) == len(seconds) else "-"


def _text() -> str:
    report = paths.RESULTS.read_text(encoding="utf-8")
    if not sys.stdout.isatty():
        return report
    from pipeline.evaluation.report import terminal
    from pipeline.runtime import artifacts

    return terminal.page(artifacts.read_json(paths.METRICS), report) + "\n"


if __name__ == "__main__":
    _cli.run(app)
