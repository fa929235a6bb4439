"""Bring all results up to date with `dvc repro`, several stages at a time with --jobs.

DVC itself runs one stage at a time. Here an executor runs the stages that train or score in
parallel, group by group; before, between and after them the light stages run in order. A stage that
fails is named at the end and stops only the stages that need it.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration import dvc_processes, gpus, lock_order, run_lock, stale_outputs, write_access
from orchestration.dvc_project import Project, downstream, group, upstream
from pipeline.errors import PipelineError
from pipeline.params import automatic, file
from pipeline.runtime import choices, progress, signals
from pipeline.runtime.choices import JOBS
from pipeline.stage_registry import STAGES
from stages import _cli

if TYPE_CHECKING:
    from orchestration.schedule import Outcome
    from pipeline.params.sections import Params

# Seconds between a stage's lines of progress, of which a terminal shows the last one.
_LIVE_SECONDS = "1"

app = _cli.application()


@app.command()
def main(
    jobs: Annotated[int, typer.Option(min=1, help="Stages side by side.")] = 1,
    until: Annotated[
        list[str] | None,
        typer.Option(
            help="Run only this stage and what it needs; may be given several times.",
            metavar="STAGE",
        ),
    ] = None,
) -> None:
    """Bring all results up to date with DVC: run what changed and what needs it.

    Example: mtdnnkd repro --jobs 2 --until ensemble
    """
    for which in dvc_processes.interruptions():  # a background job would ignore Ctrl-C
        signal.signal(which, signals.interrupt)
    # Every stage gets the same share of the CPU's threads, whether others run just then or not: it
    # keeps them when others start. No result depends on their number.
    os.environ[JOBS] = str(jobs)
    if sys.stdout.isatty():
        os.environ.setdefault(progress.SECONDS, _LIVE_SECONDS)
    raise typer.Exit(_reproduce(jobs, until or None))


def _reproduce(jobs: int, until: Sequence[str] | None) -> int:
    """As `reproduce`, with DVC's errors as ours, and without its bars if it is quiet."""
    from dvc.exceptions import DvcException
    from dvc.logger import set_loggers_level

    quiet = set_loggers_level(logging.CRITICAL) if progress.quiet() else nullcontext()
    try:
        with quiet:
            return reproduce(jobs, until)
    except DvcException as error:
        raise PipelineError(str(error)) from error


def reproduce(jobs: int, until: Sequence[str] | None = None) -> int:
    """Run what changed, `jobs` stages in parallel; 0 if all is up to date afterwards.

    Args:
        jobs: stages in parallel.
        until: stages; only they, in all their instances, and what they need are run. None: all.

    Raises:
        PipelineError: params.yaml cannot be used, the project is not set up for DVC, another run
            is under way, a folder cannot be written or holds what no stage makes.
    """
    params = file.load()  # DVC would only name the missing file
    project = Project()
    with run_lock.acquire(project.folder):
        if choices.values(params.machine):
            for path, value in automatic.replace().items():
                print(f"params.yaml: {path}: auto -> {value}, this machine's value")
            params = file.load()
        with project.read():
            stages = _wanted(project, params, until)
            stale_outputs.remove(project.repo)
            changed = project.changed(stages)
        if not changed:
            print("Nothing changed since the last run: no stage to run.")
            return 0
        from pipeline.planning import encoder_limits

        encoder_limits.check(params)
        write_access.check(project.written(changed))
        try:
            outcome = _run(project, stages, changed, jobs, params.machine.device)
        finally:  # what an interrupted run has finished is in dvc.lock too
            lock_order.sort(project.repo)
        return _report(outcome)


def _run(project: Project, stages: set[str], changed: set[str], jobs: int, device: str) -> Outcome:
    """Run what is due and show how it goes."""
    from orchestration.display import Display
    from orchestration.executors.local import InOrder, SideBySide
    from orchestration.schedule import Schedule

    due = downstream(project.graph().subgraph(stages), changed)
    with Display(len(due), max(map(len, due))) as display:
        executor = SideBySide(jobs, project.folder, display, lambda: gpus.to_hand_out(device))
        in_order = InOrder(project.folder, display)
        schedule = Schedule(project, stages, in_order, executor if jobs > 1 else None)
        outcome = schedule.run(changed)
        display.note(f"{display.done} stages done in {display.span()}")
    return outcome


def _wanted(project: Project, params: Params, until: Sequence[str] | None) -> set[str]:
    """All stages, or the named ones in all their instances and what they need."""
    graph = project.graph()
    if until is None:
        return set(graph)
    known = {group(name) for name in graph}
    for name in sorted(set(until) - known):
        for section in STAGES[name].keys.values() if name in STAGES else ():
            if not attrgetter(section)(params):
                reason = f"no instance of {name}: {section} is empty"
                raise PipelineError(reason, where="params.yaml")
        raise PipelineError("no such stage", seen=name, fix=f"one of {', '.join(sorted(known))}")
    return upstream(graph, {name for name in graph if group(name) in until})


def _report(outcome: Outcome) -> int:
    """Print on standard error what was not done; the exit code."""
    undone = {
        "failed": outcome.failed,
        "not run, as they need a failed one": outcome.skipped,
        "changed again while they ran or later, and so not up to date": outcome.outdated,
    }
    if not any(undone.values()):
        return 0
    print(file=sys.stderr)
    for what, names in undone.items():
        if names:
            print(f"{what}: {', '.join(sorted(names))}", file=sys.stderr)
    fix = "fix the fault and run" if outcome.failed else "run"
    print(f"What finished is kept; {fix} the same command again.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    _cli.run(app)
