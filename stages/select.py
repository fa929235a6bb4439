"""Choose the best candidates by their dev scores on some tasks."""

from __future__ import annotations

from pipeline.params import file
from pipeline.teachers import select
from stages import _cli

app = _cli.application()


@app.command()
def main() -> None:
    """Choose the best candidates by their dev scores on some tasks.

    Reads data/refined. Writes data/selected, their encoders, and data/selection.json.

    Example: mtdnnkd select
    """
    params = file.load()
    order = select.select(params)
    for place, candidate in enumerate(order, start=1):
        kept = ", selected" if place <= params.selection.top else ""
        print(f"{place}. {candidate.name}: {100 * candidate.score:.2f}{kept}")
    if not order:
        print("no candidates (refinement.candidates), nothing to select")


if __name__ == "__main__":
    _cli.run(app)
