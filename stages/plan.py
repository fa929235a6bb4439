"""Print steps, operations, memory and hours of every stage without running any."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline import paths
from stages import _cli

app = _cli.application()
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="With --profile: change a value first."),
]


@app.command()
def main(
    device: Annotated[
        str, typer.Option(help="a100-40gb, a100-80gb, h100, v100-32gb, l4, t4 or cpu.")
    ] = "a100-80gb",
    devices: Annotated[int, typer.Option(min=1, help="How many runs go side by side.")] = 1,
    profile: Annotated[
        str | None, typer.Option(help="A profile to plan instead of params.yaml.")
    ] = None,
    set_: Set = None,
) -> None:
    """Print steps, operations, memory and hours of every stage; train and write nothing.

    Reads params.yaml and, where they exist, data/prepared and data/transfer. docs/plan.md explains
    the cost model.

    Example: mtdnnkd plan --profile glue-base --device h100
    """
    from pipeline.params import file, profiles
    from pipeline.planning import devices as known_devices
    from pipeline.planning import plan, plan_table

    if set_ and profile is None:
        raise typer.BadParameter("--set needs --profile", param_hint="--set")
    model = known_devices.find(device)
    values = (
        file.read_yaml(paths.PARAMS)
        if profile is None
        else profiles.as_written(profile, set_ or ())
    )
    params = file.check(values, where=profile or paths.PARAMS)
    for line in plan_table.lines(plan.of(params), model, devices):
        print(line)


if __name__ == "__main__":
    _cli.run(app)
