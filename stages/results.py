"""Print the results and the paths of all files."""

from __future__ import annotations

import sys

from pipeline import paths, stage_registry
from pipeline.errors import DataError
from stages import _cli

app = _cli.application()

_PLACES = (
    *stage_registry.outputs(),
    (str(paths.RESULTS), "tables with all metrics and tests"),
    (str(paths.METRICS), "all figures; scores.csv: one a line"),
)


@app.command()
def main() -> None:
    """Print the results and the paths of all files.

    Reads data/evaluation. A terminal gets a table of task scores, at most 80 columns wide; a file
    or pipe gets data/evaluation/results.md.

    Example: mtdnnkd results
    """
    if not paths.RESULTS.exists():
        raise DataError(
            "nothing was run here, so there are no results",
            where=paths.EVALUATION,
            fix="make repro; or dvc pull, where a remote keeps the results of this commit",
        )
    print(_text())
    width = max(len(place) for place, _ in _PLACES)
    lines = [f"  {place:<{width}}  {content}" for place, content in _PLACES]
    print("Where everything lies:", *lines, sep="\n")


def _text() -> str:
    report = paths.RESULTS.read_text(encoding="utf-8")
    if not sys.stdout.isatty():
        return report
    from pipeline.evaluation.report import terminal
    from pipeline.runtime import artifacts

    return terminal.page(artifacts.read_json(paths.METRICS), report) + "\n"


if __name__ == "__main__":
    _cli.run(app)
