"""The command line of the experiments of docs/evidence.md."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from experiments import run, settings
from stages import _cli

app = _cli.application(
    """Run the grid of docs/evidence.md as DVC experiments, and measure what it does not.

    It leaves an experiment for each run, as `mtdnnkd seeds` does, and the workspace as it was.

    Example: python -m experiments run --data path/to/glue --jobs 2
    """
)
_SEEDS = [1, 2, 3]

Only = Annotated[
    list[str] | None, typer.Option(help="A setting; may be given several times. None: all.")
]
Seeds = Annotated[
    list[int], typer.Option("--seed", help="A seed of the student; may be given several times.")
]
Jobs = Annotated[int, typer.Option(min=1, help="Stages side by side.")]


@app.command("list")
def list_commands(only: Only = None, seeds: Seeds = _SEEDS) -> None:
    """Print the `mtdnnkd seeds` that runs each setting alone, over params.yaml of the profile.

    Example: python -m experiments list --only half --seed 1
    """
    print(*run.commands(settings.select(only or ()), seeds), sep="\n")


@app.command("run")
def run_grid(
    data: Annotated[Path, typer.Option(help="Folder of GLUE files.")],
    only: Only = None,
    seeds: Seeds = _SEEDS,
    jobs: Jobs = 2,
) -> None:
    """Make a DVC experiment for each setting and seed that has none.

    Example: python -m experiments run --data path/to/glue --only half --jobs 2
    """
    run.run(settings.select(only or ()), seeds, data, jobs)


@app.command()
def gather(only: Only = None, seeds: Seeds = _SEEDS) -> None:
    """Write docs/evidence.json, and from it the tables of docs/evidence.md.

    Example: python -m experiments gather --only half
    """
    named = settings.select(only or ())  # before the imports, which take seconds
    from experiments import collect, page

    page.write(collect.write(run.FIGURES, named, seeds))


@app.command()
def pilot(
    profile: Annotated[str, typer.Option(help="Parameters to start from.")] = run.PROFILE,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A change; may be given several times."),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="BUDGET",
            help="Learn from gold labels alone, for the student's `epochs` or its `steps`.",
        ),
    ] = None,
) -> None:
    """Try a setting of the student on a slice of train that nobody learns from.

    Example: python -m experiments pilot --set student.learning_rate=3.0e-4
    """
    from experiments import pilot as trial

    print(*trial.lines(profile, changes or (), baseline), sep="\n")


@app.command()
def inference_cost(
    repeats: Annotated[int, typer.Option(min=1, help="Rounds to take the median of.")] = 5,
) -> None:
    """Time one teacher, the ensemble and the student on the dev rows, on an idle machine.

    Reads models, soft labels and scores that are up to date and writes nothing.

    Example: python -m experiments inference-cost --repeats 3
    """
    from experiments import inference_cost as timing
    from pipeline.params import file

    print(*timing.run(file.load(), repeats), sep="\n")


@app.command()
def tables(
    evaluation: Annotated[
        Path | None, typer.Option(help="data/evaluation of a run whose report is published too.")
    ] = None,
) -> None:
    """Write the tables of README and docs from docs/evidence.json, a step of a release.

    Example: python -m experiments tables --evaluation data/evaluation
    """
    from experiments import publish

    print(*publish.publish(evaluation), sep="\n")


if __name__ == "__main__":
    _cli.run(app)
