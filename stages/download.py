"""Fetch or generate one task's files, byte for byte as the source gives them."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pipeline import paths, stage_registry
from stages import _cli

app = _cli.application()


@app.command()
def main(task: Annotated[str, typer.Option(help="Task's name in params.yaml.")]) -> None:
    """Fetch or generate one task's files, byte for byte as the source gives them.

    Reads what `data` in params.yaml names: the generator, a folder, or the network.
    Writes data/raw/TASK.

    Example: mtdnnkd download --task rte
    """
    from pipeline.data.sources import raw_folder
    from pipeline.params import file

    params = file.load()
    stage_registry.instance("download", params, task=task)
    collected = raw_folder.write(task, params, paths.raw(task))
    for note in collected.notes(task):
        print(note, file=sys.stderr)


if __name__ == "__main__":
    _cli.run(app)
