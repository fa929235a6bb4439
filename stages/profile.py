"""List, show, compare and apply profiles, the ready-made params.yaml files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from pipeline import paths
from pipeline.params import automatic, file, profiles
from stages import _cli

app = _cli.application(
    "List, show, compare and apply profiles (profiles/*.yaml).\n\n"
    "Example: mtdnnkd profile apply glue-cpu --set data.folder=glue"
)
Name = Annotated[str, typer.Argument(help="A profile's name, see `list`.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a value (student.epochs=1), add (teachers.members.m4={seed: 4}) "
        "or delete a key (~tasks.wnli); may be given again.",
    ),
]


@app.command("list")
def list_() -> None:
    """List every profile with its purpose.

    Example: mtdnnkd profile list
    """
    for name in profiles.names():
        print(f"{name:<10}  {profiles.summary(name)}")


@app.command()
def show(name: Name, set_: Set = None) -> None:
    """Print the params.yaml that `apply` would write.

    Example: mtdnnkd profile show paper --set student.epochs=1
    """
    print(profiles.text_here(name, set_ or ()), end="")


@app.command()
def diff(
    name: Name,
    other: Annotated[str | None, typer.Argument(help="Another profile.")] = None,
) -> None:
    """Print what `apply NAME` would change in params.yaml, or how NAME differs from OTHER.

    Example: mtdnnkd profile diff glue-cpu paper
    """
    settings = profiles.values(name)
    if other is None:
        print(f"{paths.PARAMS} -> {name}")
        _print(profiles.changes(file.read_yaml(paths.PARAMS), settings))
    else:
        print(f"{name} -> {other}")
        _print(profiles.changes(settings, profiles.values(other)))


@app.command()
def apply(name: Name, set_: Set = None) -> None:
    """Write a profile to params.yaml; an invalid result writes nothing.

    Example: mtdnnkd profile apply glue-cpu --set data.folder=glue
    """
    before = profiles.current()
    changes = profiles.apply(name, set_ or ())
    if before is None:
        print(f"{paths.PARAMS}: {name}, written new; there was none that could be read")
        return
    print(f"{paths.PARAMS}: {name}, values changed: {len(changes)}")
    _print(changes)


@app.command()
def resolve() -> None:
    """Replace `auto` in params.yaml by this machine's values where it decides results.

    Example: mtdnnkd profile resolve
    """
    values = automatic.replace()
    for path, value in values.items():
        print(f"{paths.PARAMS}: {path}: auto -> {value}")
    if not values:
        print(f"{paths.PARAMS}: no `auto` that decides results")


def _print(changes: Iterable[profiles.Change]) -> None:
    for change in changes:
        print(f"  {change}")


if __name__ == "__main__":
    _cli.run(app)
