"""Bring all results up to date with `dvc repro`, teachers side by side where that is asked for.

DVC itself runs one stage at a time. Here the stages that train or score run in a pool of DVC
processes, group by group; before, between and after them the light stages run one by one. A stage
that fails is named at the end and does not stop those that need it not.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from orchestration import dvc_processes, gpus, run_lock, stale_outputs, write_access
from orchestration.dvc_project import Project, group, upstream
from pipeline.errors import PipelineError
from pipeline.params import file
from pipeline.runtime.hardware import JOBS
from stages import _cli

if TYPE_CHECKING:
    from orchestration.schedule import Outcome


def main() -> int:
    """Parse the command line, run, and give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=_count, default=1, help="stages side by side")
    parser.add_argument(
        "--until", nargs="+", metavar="STAGE", help="run only these stages and what they need"
    )
    arguments = parser.parse_args()
    jobs: int = arguments.jobs
    for which in dvc_processes.interruptions():  # a background job would ignore Ctrl-C
        signal.signal(which, _interrupt)
    # Every stage gets the same share of the CPU's threads, whether others run just then or not: it
    # keeps them when others start beside it. No result depends on their number.
    os.environ[JOBS] = str(jobs)
    try:
        return _reproduce(jobs, arguments.until)
    except KeyboardInterrupt:
        print("error: interrupted; finished stages are kept", file=sys.stderr)
        return _cli.INTERRUPTED
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return _cli.USER_ERROR


def _reproduce(jobs: int, until: Sequence[str] | None) -> int:
    """As `reproduce`, with DVC's and the system's errors as ours."""
    from dvc.exceptions import DvcException

    try:
        return reproduce(jobs, until)
    except DvcException as error:
        raise PipelineError(str(error)) from error
    except OSError as error:
        raise _cli.fault(error) from error


def reproduce(jobs: int, until: Sequence[str] | None = None) -> int:
    """Run what changed, `jobs` stages side by side; 0 if all is up to date afterwards.

    Args:
        jobs: stages side by side.
        until: stages; only they, in all their instances, and what they need are run. None: all.

    Raises:
        PipelineError: params.yaml cannot be used, the project is not set up for DVC, another run
            is under way, a folder cannot be written or holds what no stage makes.
    """
    params = file.load()  # DVC would only say which file is missing
    project = Project()
    with run_lock.acquire(project.folder):
        with project.read():
            stages = _wanted(project, until)
            stale_outputs.remove(project.repo)
            changed = project.changed(stages)
        if not changed:
            print("Nothing changed since the last run: no stage to run.")
            return 0
        from orchestration.schedule import Schedule
        from pipeline.planning import encoder_limits

        encoder_limits.check(params)
        write_access.check(project.written(changed))
        course = Schedule(project, stages, jobs, lambda: gpus.to_hand_out(params.machine.device))
        return _report(course.run(changed))


def _wanted(project: Project, until: Sequence[str] | None) -> set[str]:
    """All stages, or the named ones in all their instances and what they need."""
    graph = project.graph()
    if until is None:
        return set(graph)
    known = {group(name) for name in graph}
    if unknown := sorted(set(until) - known):
        names = ", ".join(sorted(known))
        raise PipelineError("no such stage", seen=", ".join(unknown), fix=f"one of {names}")
    return upstream(graph, {name for name in graph if group(name) in until})


def _report(outcome: Outcome) -> int:
    """Say on standard error what was not done; the exit code."""
    told = {
        "failed": outcome.failed,
        "not run, as they need a failed one": outcome.skipped,
        "changed again while they ran or later, and so not up to date": outcome.outdated,
    }
    if not any(told.values()):
        return 0
    print(file=sys.stderr)
    for what, names in told.items():
        if names:
            print(f"{what}: {', '.join(sorted(names))}", file=sys.stderr)
    fix = "fix the fault and run" if outcome.failed else "run"
    print(f"What finished is kept; {fix} the same command again.", file=sys.stderr)
    return 1


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"give a whole number, 1 or more, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
