"""Run params.yaml, and changes to it, with several seeds; means and intervals over them."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.replication import settings
from pipeline.replication.settings import LARGEST
from stages import _cli

app = _cli.application()


@app.command()
def main(
    seeds: Annotated[
        list[int], typer.Argument(min=0, max=LARGEST, metavar="SEED", help="The seeds.")
    ],
    of: Annotated[
        settings.Of,
        typer.Option(
            help="What is seeded: the student and its baselines, or candidates and members too."
        ),
    ] = "student",
    setting: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=KEY=VALUE[,KEY=VALUE]",
            help="Changes that are run too, under a name; may be given again.",
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Stages side by side.")] = 1,
    show: Annotated[
        bool, typer.Option("--show", help="Run nothing; the table of what is finished.")
    ] = False,
) -> None:
    """Run params.yaml, and changes to it, with several seeds; means and intervals over them.

    Leaves a DVC experiment for each seed and setting, base-1 and so on; one that is there with the
    same parameters is not run again. params.yaml and outputs are as before afterwards. Writes
    data/seeds: student minus the baseline that counts, by task, over the tasks with teachers and
    of the GLUE score, as means over seeds with deviation and intervals.

    With --of all, student.seed and tuning.seed are SEED, and a candidate's or member's seed is
    1,000,000 times SEED plus its own in params.yaml; experiments are base-all-1 and so on.

    Example: mtdnnkd seeds 1 2 3 --setting warm=distillation.temperature=2.0 --jobs 2
    """
    named = settings.distinct(
        [settings.Setting(settings.BASE), *map(settings.parse, setting or ())]
    )
    from pipeline.replication import workspace

    runs = settings.runs(workspace.params_text(), named, list(dict.fromkeys(seeds)), of)
    from pipeline.replication import experiments, results

    if not show:
        experiments.make(runs, jobs)
    print(results.write(named, runs))


if __name__ == "__main__":
    _cli.run(app)
