"""CPU-seconds that each stage's process spends on anything but its work: on the smallest run.

    python -m benchmarks.overhead [--json] [--repeats 3]

Runs every stage in a temporary folder on the sample profile, cut down to twenty rows a task and
split, sixteen tokens a row and one epoch, with MiniLM as always. Of a stage that trains it counts
from the process's start to its first training step and from its last step to its exit; of the
others all. Times are of the process and its threads, user and system, as the kernel counts them;
the least of all repeats is told, because other work on the machine only ever adds to it.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline import command, paths

ROOT = Path(__file__).resolve().parent.parent
TASKS = ("cola", "mrpc", "stsb")  # between them they have every metric
TASK, MEMBER = "mrpc", "m1"
LIGHT_BEFORE = (
    *(f"download --task {task}" for task in TASKS),
    *(f"prepare --task {task}" for task in TASKS),
    "select",
    f"start --member {MEMBER}",
)
TRAINING = (f"teach --task {TASK} --member {MEMBER} --fold all",)
LIGHT_BETWEEN = (f"ensemble --task {TASK}",)
STUDENTS = ("distil", "baseline")
LIGHT_AFTER = ("evaluate", "results", "usage", "plan", "profile list", "teach --help")
_TRAINS = {*TRAINING, *STUDENTS}
_WATCHED = "OVERHEAD_STEPS"  # environment variable: file that a watched stage writes

app = command.application()


@dataclass(frozen=True)
class Overhead:
    """CPU-seconds of one command line.

    Attributes:
        command: the stage and its options.
        start: from start to first training step; None of a stage that does not train.
        end: from the last training step to the exit; None likewise.
        total: all of the process, training steps included.
    """

    command: str
    start: float | None
    end: float | None
    total: float

    @property
    def overhead(self) -> float:
        """What is not training."""
        if self.start is None or self.end is None:
            return self.total
        return self.start + self.end


@app.command()
def main(
    json_: Annotated[bool, typer.Option("--json", help="Print JSON, not a table.")] = False,
    repeats: Annotated[int, typer.Option(min=1, help="Runs of everything.")] = 3,
) -> None:
    """Print the CPU-seconds that each stage's process spends on anything but training."""
    found = least([measure() for _ in range(repeats)])
    if json_:
        print(json.dumps([{**vars(one), "overhead": one.overhead} for one in found], indent=2))
        return
    print("| stage | to first step | from last step | overhead |\n|---|---:|---:|---:|")
    for one in found:
        cells = ("" if part is None else f"{part:.2f}" for part in (one.start, one.end))
        print(f"| {one.command} | {' | '.join(cells)} | {one.overhead:.2f} |")


def measure() -> list[Overhead]:
    """Run every stage once in a temporary folder, in the order they need one another.

    Raises:
        subprocess.CalledProcessError: a stage fails; what it said is on standard error.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _prepare(folder)
        order = (*LIGHT_BEFORE, *TRAINING, *LIGHT_BETWEEN, *STUDENTS, *LIGHT_AFTER)
        return [_run(each, folder) for each in order]


def least(rounds: Sequence[Sequence[Overhead]]) -> list[Overhead]:
    """Of every command line the run with the least overhead."""
    return [min(runs, key=lambda run: run.overhead) for runs in zip(*rounds, strict=True)]


def _prepare(folder: Path) -> None:
    from pipeline.params import file

    values: dict[str, Any] = file.read_yaml(ROOT / paths.PROFILES / "sample.yaml")
    values["data"]["sample"] |= {"train": 20, "dev": 20, "test": 20}
    values["tasks"] = {task: values["tasks"][task] for task in TASKS}
    values["selection"]["tasks"] = [TASK]
    short = {"epochs": 1, "max_length": 16}
    values["teachers"] |= {**short, "tasks": {TASK: {}}, "members": {MEMBER: {"seed": 1}}}
    values["student"] |= short
    (folder / paths.PARAMS).write_text(json.dumps(values), encoding="utf-8")  # JSON is YAML
    (folder / paths.README).write_bytes((ROOT / paths.README).read_bytes())
    (folder / paths.PROFILES).symlink_to(ROOT / paths.PROFILES)


def _run(line: str, folder: Path) -> Overhead:
    steps = folder / "steps.json"
    steps.unlink(missing_ok=True)
    stage, *options = line.split()
    start = ["-m", f"stages.{stage}"]
    if line in _TRAINS:
        start = ["-c", "from benchmarks.overhead import watch; watch()", f"stages.{stage}"]
    before = _children()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), _WATCHED: str(steps)}
    done = subprocess.run(
        [sys.executable, *start, *options],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        done.check_returncode()
    total = _children() - before
    if line not in _TRAINS:
        return Overhead(line, None, None, total)
    first, last = json.loads(steps.read_text(encoding="utf-8"))
    return Overhead(line, first, total - last, total)


def watch() -> None:
    """Run a stage in this process and note its CPU time at its first and last training step."""
    import runpy

    import_module("stages")  # what it sets for the process has to come before torch
    with _steps_noted(Path(os.environ[_WATCHED])):
        sys.argv = sys.argv[1:]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


@contextmanager
def _steps_noted(file: Path) -> Iterator[None]:
    """By torch's own hooks: the first forward pass in training, the end of optimizer steps."""
    from torch import nn
    from torch.optim import optimizer

    noted: list[float] = []

    def begins(module: nn.Module, _: Any) -> None:
        if module.training and not noted:
            noted[:] = [_own(), 0.0]

    def ends(*_: Any) -> None:
        noted[1] = _own()

    nn.modules.module.register_module_forward_pre_hook(begins)
    optimizer.register_optimizer_step_post_hook(ends)
    try:
        yield
    finally:
        file.write_text(json.dumps(noted), encoding="utf-8")


def _own() -> float:
    return _seconds(resource.RUSAGE_SELF)


def _children() -> float:
    return _seconds(resource.RUSAGE_CHILDREN)


def _seconds(whose: int) -> float:
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    command.run(app)
