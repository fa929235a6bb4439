"""Fine-tune one candidate on all tasks with hard labels."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline import stage_registry
from pipeline.params import file
from stages import _cli

app = _cli.application()


@app.command()
def main(
    candidate: Annotated[
        str, typer.Option(help="Candidate under refinement.candidates in params.yaml.")
    ],
) -> None:
    """Fine-tune one candidate on all tasks with hard labels.

    Reads data/prepared. Writes data/refined/CANDIDATE: weights, tokenizer, log, dev metrics.

    Example: mtdnnkd refine --candidate c1
    """
    params = file.load()
    stage_registry.instance("refine", params, candidate=candidate)
    from pipeline.teachers import refine

    refine.refine(candidate, params)


if __name__ == "__main__":
    _cli.run(app)
