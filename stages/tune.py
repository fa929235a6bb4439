"""Fine-tune the trained student on one task with hard labels."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline import stage_registry
from pipeline.params import file
from stages import _cli

app = _cli.application()


@app.command()
def main(
    task: Annotated[str, typer.Option(help="Task under tuning.tasks in params.yaml.")],
) -> None:
    """Fine-tune the trained student on one task with hard labels.

    Reads data/student and data/prepared/TASK.
    Writes data/tuned/TASK: weights, tokenizer, log, logits of held-out rows.

    Example: mtdnnkd tune --task rte
    """
    params = file.load()
    stage_registry.instance("tune", params, task=task)
    from pipeline.student import tune

    tune.tune(task, params)


if __name__ == "__main__":
    _cli.run(app)
