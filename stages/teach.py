"""Fine-tune one teacher and keep its logits for every row."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline import stage_registry
from pipeline.params import file
from stages import _cli

app = _cli.application()


@app.command()
def main(
    task: Annotated[str, typer.Option(help="Task under teachers.tasks in params.yaml.")],
    member: Annotated[str, typer.Option(help="Member under teachers.members in params.yaml.")],
    fold: Annotated[str, typer.Option(help="Fold that it does not see, or all for none.")],
) -> None:
    """Fine-tune one teacher and keep its logits for every row.

    Reads data/prepared/TASK and data/initial_encoders/MEMBER.
    Writes data/teachers/TASK/MEMBER/FOLD: weights, tokenizer, log, manifest.
    Writes data/logits/TASK/MEMBER/FOLD/prepared: logits of every row.

    Example: mtdnnkd teach --task rte --member m1 --fold all
    """
    params = file.load()
    stage_registry.instance("teach", params, task=task, member=member, fold=fold)
    from pipeline.teachers import teach

    teach.teach(task, member, fold, params)


if __name__ == "__main__":
    _cli.run(app)
