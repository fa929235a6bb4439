"""The command `mtdnnkd`: every stage and every tool as a subcommand, loaded when it is named."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from mtdnnkd import __version__, commands
from pipeline.runtime import progress
from stages import _cli


class LazyGroup(TyperGroup):
    """A group whose subcommands are imported only when one of them is run or asked for help."""

    def resolve_command(
        self, ctx: Any, args: list[str]
    ) -> tuple[str | None, TyperCommand | TyperGroup | None, list[str]]:
        """Replace the entry that `mtdnnkd --help` lists by the command itself."""
        name, _, rest = super().resolve_command(ctx, args)
        if name is None:
            return None, None, rest
        sys.argv = [name, *rest]  # as for `python -m stages.NAME`: messages quote it
        return name, commands.load(name), rest


app = _cli.application(
    """Distil ensembles of GLUE teachers into one multi-task student.

    Stages make their outputs from params.yaml and from what other stages made; run them in the
    project's folder. Tools plan, change and show.

    Example: mtdnnkd plan --profile glue-base --device h100
    """,
    cls=LazyGroup,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"mtdnnkd {__version__}")
        raise typer.Exit


@app.callback(no_args_is_help=True)
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print results and errors, but no progress.")
    ] = False,
) -> None:
    """Take the options that hold for every command."""
    if quiet:
        progress.silence()


def _add(name: str, panel: str) -> None:
    """List a command; `LazyGroup` puts the real one in its place."""
    app.command(name, help=commands.summary(name), rich_help_panel=panel)(lambda: None)


for _panel, _names in commands.PANELS.items():
    for _name in _names:
        _add(_name, _panel)


def main() -> None:
    """Run the command line."""
    _cli.run(app)
