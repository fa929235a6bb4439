"""Count the epochs of a baseline, by the student's epochs or by its steps."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline import stage_registry
from pipeline.params import file
from stages import _cli

app = _cli.application()


@app.command()
def main(
    budget: Annotated[str, typer.Option(help="One of baseline.budgets: epochs, steps.")],
) -> None:
    """Count the epochs of a baseline, by the student's epochs or by its steps.

    With budget `steps` they are the fewest that take no fewer steps than the student takes.

    Reads data/prepared, data/transfer. Writes data/budgets/BUDGET.json: the number of epochs, 0
    where the baseline of budget `epochs` takes the student's steps already.

    Example: mtdnnkd budget --budget steps
    """
    params = file.load()
    stage_registry.instance("budget", params, budget=budget)
    from pipeline.student import budget as budgets

    budgets.write(budget, params)


if __name__ == "__main__":
    _cli.run(app)
