"""Train the same student on hard labels only."""

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
    """Train the same student on hard labels only.

    It is what the student is compared with: trained for as many epochs, or for as many steps.

    Reads data/prepared, data/budgets/BUDGET.json. Writes data/baseline/BUDGET, laid out as
    data/student; only missing.json where the other baseline takes the student's steps already.

    Example: mtdnnkd baseline --budget steps
    """
    params = file.load()
    stage_registry.instance("baseline", params, budget=budget)
    from pipeline.student import baseline

    baseline.baseline(budget, params)


if __name__ == "__main__":
    _cli.run(app)
