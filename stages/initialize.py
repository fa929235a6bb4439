"""Write the encoder that one member is initialized from."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline import stage_registry
from pipeline.params import file
from pipeline.teachers import initial_encoder
from stages import _cli

app = _cli.application()


@app.command()
def main(
    member: Annotated[str, typer.Option(help="Member under teachers.members in params.yaml.")],
) -> None:
    """Write the encoder that one member is initialized from.

    It is a selected candidate's, or the one that params.yaml names.

    Reads data/selected. Writes data/initial_encoders/MEMBER.

    Example: mtdnnkd initialize --member m1
    """
    params = file.load()
    stage_registry.instance("initialize", params, member=member)
    initial_encoder.write(member, params)


if __name__ == "__main__":
    _cli.run(app)
