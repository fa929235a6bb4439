"""Choose the best candidates by their dev scores on some tasks."""

from __future__ import annotations

from pipeline import command, selection
from pipeline.params import file

app = command.application()


@app.command()
def main() -> None:
    """Choose the best candidates by their dev scores and keep their encoders.

    Reads data/refined. Writes data/selected and data/selection.json.
    """
    params = file.load()
    order = selection.select(params)
    for place, candidate in enumerate(order, start=1):
        kept = ", selected" if place <= params.selection.top else ""
        print(f"{place}. {candidate.name}: {100 * candidate.score:.2f}{kept}")
    if not order:
        print("no candidates (refinement.candidates), nothing to select")


if __name__ == "__main__":
    command.run(app)
