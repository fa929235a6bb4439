"""Run the grid of docs/evidence.md as DVC experiments and gather what came out.

Run it in a clone of its own: it writes params.yaml and leaves an experiment for each run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from experiments import settings as grid
from pipeline.errors import PipelineError
from pipeline.runtime.hardware import JOBS

PROFILE = "glue-cpu"
FOUND = Path("docs/evidence.json")
_POLL = 10.0  # seconds


def main() -> int:
    """Parse the command line and do as it says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=2, help="experiments side by side")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="student seeds")
    parser.add_argument("--only", nargs="+", default=[], help="names of settings")
    parser.add_argument("what", choices=("list", "teachers", "queue", "work", "gather"))
    parser.add_argument("--data", type=Path, help="folder of GLUE files")
    arguments = parser.parse_args()
    os.environ[JOBS] = str(arguments.jobs)
    try:
        settings = grid.chosen(arguments.only)
        match arguments.what:
            case "list":
                for line in commands(settings, arguments.seeds):
                    print(" ".join(line))
            case "teachers":
                _teachers(settings, arguments.data, arguments.jobs)
            case "queue":
                _queue(settings, arguments.seeds)
            case "work":
                _work(arguments.jobs)
            case "gather":
                from experiments import collect, page

                page.write(collect.write(FOUND, settings, arguments.seeds))
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def commands(settings: Sequence[grid.Setting], seeds: Sequence[int]) -> Iterator[list[str]]:
    """Every `dvc exp run` of the grid: all settings with the first seed, then with the next."""
    for seed in seeds:
        for setting in settings:
            changes = (*setting.changes, f"student.seed={seed}")
            flags = [part for change in changes for part in ("-S", change)]
            yield ["dvc", "exp", "run", "--queue", "--name", f"{setting.name}-{seed}", *flags]


def _teachers(settings: Sequence[grid.Setting], data: Path | None, jobs: int) -> None:
    """Bring the teachers of every setting up to date, side by side, before any experiment.

    Two queued experiments that need the same new teacher would both train it.
    """
    if data is None or not data.is_dir():
        raise PipelineError("no folder of GLUE files", seen=data, fix="--data FOLDER")
    wanted = {setting.of_teachers for setting in settings}
    for changes in sorted(wanted, key=len, reverse=True):  # the profile's own come last
        _apply(data, changes)
        until = ("--until", "ensemble", "feature_teachers")
        _run(sys.executable, "-m", "orchestration.repro", "--jobs", str(jobs), *until)
    _apply(data)  # a queued experiment lays its changes over the profile's own values


def _apply(data: Path, changes: Sequence[str] = ()) -> None:
    """Write params.yaml from the profile, the folder of files and changes."""
    pairs = (f"data.folder={data.resolve()}", *changes)
    sets = [part for pair in pairs for part in ("--set", pair)]
    _run(sys.executable, "-m", "stages.profile", "apply", PROFILE, *sets)


def _queue(settings: Sequence[grid.Setting], seeds: Sequence[int]) -> None:
    known = subprocess.run(
        ["dvc", "exp", "list", "--all-commits", "--name-only"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    for command in commands(settings, seeds):
        if command[5] not in known:
            _run(*command)


def _work(jobs: int) -> None:
    """Start the queue's workers and wait for the last experiment."""
    _run("dvc", "queue", "start", "--jobs", str(jobs))
    while left := _unfinished():
        print(f"{time.strftime('%H:%M')}  {left} experiments left", flush=True)
        time.sleep(_POLL)


def _unfinished() -> int:
    told = subprocess.run(["dvc", "queue", "status"], capture_output=True, text=True, check=True)
    return sum(" Queued" in line or " Running" in line for line in told.stdout.splitlines())


def _run(*command: str) -> None:
    print(f"$ {' '.join(command)}", flush=True)
    if subprocess.run(command, check=False).returncode:
        raise PipelineError("a command failed, see above", seen=" ".join(command))


if __name__ == "__main__":
    sys.exit(main())
