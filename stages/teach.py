"""Fine-tune one teacher (one task, one member) and score every row with it."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline import command
from pipeline.params import file

app = command.application()


@app.command()
def main(
    task: Annotated[str, typer.Option(help="Task under teachers.tasks in params.yaml.")],
    member: Annotated[str, typer.Option(help="Member under teachers.members in params.yaml.")],
) -> None:
    """Fine-tune one teacher (one task, one member) and score every row of its task with it.

    Reads data/prepared/TASK.
    Writes data/teachers/TASK/MEMBER: weights, tokenizer, log, logits.
    """
    params = file.load()
    command.one_of(task, params.teachers.tasks, "teachers.tasks")
    command.one_of(member, params.teachers.members, "teachers.members")
    from pipeline import teacher

    teacher.teach(task, member, params)


if __name__ == "__main__":
    command.run(app)
