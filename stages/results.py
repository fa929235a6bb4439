"""Print the results table, put it into the README and say where everything lies."""

from __future__ import annotations

import sys

from pipeline import paths, stage_registry
from pipeline.errors import DataError
from pipeline.evaluation.report import files
from stages import _cli

app = _cli.application()

_PLACES = (
    *stage_registry.outputs(),
    (str(paths.RESULTS), "the tables above"),
    (str(paths.METRICS), "all figures; scores.csv: one a line"),
)


@app.command()
def main() -> None:
    """Print the results table and say where everything lies.

    Copies reports that DVC restored from data/evaluation into reports first.
    Reads reports/results.md and puts it into the README's results block as well.

    Example: mtdnnkd results
    """
    files.restore()
    if not paths.RESULTS.exists():
        raise DataError("no results yet", where=paths.RESULTS, fix="dvc repro")
    text = paths.RESULTS.read_text(encoding="utf-8")
    files.update_readme(text)  # results restored from DVC's cache have not run `evaluate`
    width = max(len(place) for place, _ in _PLACES)
    lines = [f"  {place:<{width}}  {what}" for place, what in _PLACES]
    _show(text)
    print("Where everything lies:", *lines, sep="\n")


def _show(text: str) -> None:
    if not sys.stdout.isatty():
        print(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))


if __name__ == "__main__":
    _cli.run(app)
