"""Compare revisions and experiments: changed parameters, scores, student minus baseline."""

from __future__ import annotations

from typing import Annotated

import typer

from stages import _cli

app = _cli.application()


@app.command()
def main(
    revisions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[REV]...",
            help="Branches, tags, commits, experiments or `workspace`, the files as they lie; "
            "none: HEAD, workspace and the experiments that were run from HEAD.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Compare revisions and experiments: changed parameters, scores, student minus baseline.

    Reads params.yaml and reports/summary.json of each. Prints one row per revision, at most 120
    columns wide, with the parameters that differ from the first revision's.

    Example: mtdnnkd compare HEAD colder warmer
    """
    from pipeline.evaluation import revisions as compared

    names = revisions or compared.known()
    print(compared.text(compared.table([compared.read(name) for name in names])))
    print(f"Parameters: against {names[0]}. Scores: percent on dev rows, with 95 % intervals.")


if __name__ == "__main__":
    _cli.run(app)
