"""Put down what one member starts from."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline import command
from pipeline.models import start
from pipeline.params import file

app = command.application()


@app.command()
def main(
    member: Annotated[str, typer.Option(help="Member under teachers.members in params.yaml.")],
) -> None:
    """Put down what one member starts from: a selected candidate's encoder, or one in params.yaml.

    Reads data/selected. Writes data/starts/MEMBER.
    """
    params = file.load()
    command.one_of(member, params.teachers.members, "teachers.members")
    start.write(member, params)


if __name__ == "__main__":
    command.run(app)
