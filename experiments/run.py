"""Run the grid of docs/evidence.md as DVC experiments: teachers first, then the queue."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from experiments import settings as grid
from pipeline.errors import PipelineError

PROFILE = "glue-cpu"
FIGURES = Path("docs/evidence.json")
_POLL_SECONDS = 10.0


def commands(settings: Sequence[grid.Setting], seeds: Sequence[int]) -> Iterator[list[str]]:
    """Every `dvc exp run` of the grid: all settings with the first seed, then with the next."""
    for seed in seeds:
        for setting in settings:
            changes = (*setting.changes, f"student.seed={seed}")
            flags = [part for change in changes for part in ("-S", change)]
            yield ["dvc", "exp", "run", "--queue", "--name", f"{setting.name}-{seed}", *flags]


def make_teachers(settings: Sequence[grid.Setting], data: Path, jobs: int) -> None:
    """Bring the teachers of every setting up to date, in parallel, before any experiment.

    Two queued experiments that need the same new teacher would both train it.

    Raises:
        PipelineError: there is no such folder of files, or a command failed.
    """
    if not data.is_dir():
        raise PipelineError("no folder of GLUE files", seen=data, fix="--data FOLDER")
    wanted = {setting.of_teachers for setting in settings}
    for changes in sorted(wanted, key=len, reverse=True):  # the profile's own come last
        _apply(data, changes)
        until = ("--until", "ensemble", "--until", "feature_teachers")
        _run(sys.executable, "-m", "orchestration.repro", "--jobs", str(jobs), *until)
    _apply(data)  # a queued experiment overrides the profile's own values


def _apply(data: Path, changes: Sequence[str] = ()) -> None:
    """Write params.yaml from the profile, the folder of files and changes."""
    pairs = (f"data.folder={data.resolve()}", *changes)
    sets = [part for pair in pairs for part in ("--set", pair)]
    _run(sys.executable, "-m", "stages.profile", "apply", PROFILE, *sets)


def queue(settings: Sequence[grid.Setting], seeds: Sequence[int]) -> None:
    """Queue every experiment of the settings that does not exist yet."""
    known = subprocess.run(
        ["dvc", "exp", "list", "--all-commits", "--name-only"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    for command in commands(settings, seeds):
        if command[5] not in known:
            _run(*command)


def work(jobs: int) -> None:
    """Start the queue's workers and wait for the last experiment."""
    _run("dvc", "queue", "start", "--jobs", str(jobs))
    while left := _unfinished():
        print(f"{time.strftime('%H:%M')}  {left} experiments left", flush=True)
        time.sleep(_POLL_SECONDS)


def _unfinished() -> int:
    status = subprocess.run(["dvc", "queue", "status"], capture_output=True, text=True, check=True)
    return sum(" Queued" in line or " Running" in line for line in status.stdout.splitlines())


def _run(*command: str) -> None:
    print(f"$ {' '.join(command)}", flush=True)
    if subprocess.run(command, check=False).returncode:
        raise PipelineError("a command failed, see above", seen=" ".join(command))
