"""Let one teacher score the transfer rows of its task."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline import stage_registry
from pipeline.params import file
from stages import _cli

app = _cli.application()


@app.command()
def main(
    task: Annotated[str, typer.Option(help="Task under transfer in params.yaml.")],
    member: Annotated[str, typer.Option(help="Member under teachers.members in params.yaml.")],
    fold: Annotated[str, typer.Option(help="Fold under teachers.folds in params.yaml.")],
) -> None:
    """Let one teacher score the transfer rows of its task.

    Reads data/transfer/TASK and data/teachers/TASK/MEMBER/FOLD.
    Writes data/logits/TASK/MEMBER/FOLD/transfer: logits of the transfer rows.

    Example: mtdnnkd label --task rte --member m1 --fold all
    """
    params = file.load()
    stage_registry.instance("label", params, task=task, member=member, fold=fold)
    from pipeline.teachers import label

    label.label(task, member, fold, params.machine)


if __name__ == "__main__":
    _cli.run(app)
