"""CPU-seconds that each stage's process spends on anything but its work: on the smallest run."""

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
from statistics import median
from typing import Any

from benchmarks.figures import Figure, Findings, Options, Table
from pipeline import paths, usage

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
PYTHON = "STAGES_PYTHON"  # environment variable: the interpreter that users run stages with
_WATCHED = "OVERHEAD_STEPS"  # environment variable: file that a watched stage writes
TRAINING_TARGET, TARGET = 4.0, 1.0  # CPU-seconds
_SETTINGS = (
    "Every stage on the sample profile, cut down to twenty rows a task and split, sixteen tokens a "
    "row and one epoch, with MiniLM as always. Of a stage that trains: from the process's start to "
    "its first training step and from its last step to its exit; of the others all. CPU time of "
    "the process and its threads, user and system."
)


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


def measure(options: Options) -> Findings:
    """Every stage once a round, in a temporary folder, in the order they need one another."""
    rounds = []
    for number in range(options.repeats):
        with tempfile.TemporaryDirectory() as name:
            rounds.append(_round(Path(name)))
        print(f"overhead: round {number + 1} of {options.repeats}", file=sys.stderr)
    light = tuple(
        max(one.overhead for one in found if one.command not in _TRAINS) for found in rounds
    )
    figures = [
        Figure(f"around the training of `{line.split()[0]}`", "s", values, TRAINING_TARGET, "most")
        for line, values in _by_command(rounds).items()
        if line in _TRAINS
    ]
    heaviest = Figure("whole, the heaviest stage without training", "s", light, TARGET, "most")
    return Findings([*figures, heaviest], _SETTINGS, tables=[_table(rounds)])


def _by_command(rounds: Sequence[Sequence[Overhead]]) -> dict[str, tuple[float, ...]]:
    """Overhead of every command line, one value a round."""
    return {
        runs[0].command: tuple(one.overhead for one in runs) for runs in zip(*rounds, strict=True)
    }


def _table(rounds: Sequence[Sequence[Overhead]]) -> Table:
    """Medians."""
    rows = []
    for runs in zip(*rounds, strict=True):
        parts = zip(*((one.start, one.end, one.overhead) for one in runs), strict=True)
        cells = ("" if None in part else f"{median(part):.2f}" for part in parts)
        rows.append((f"`{runs[0].command}`", *cells))
    columns = ("stage", "to first step", "from last step", "overhead")
    return Table("CPU-seconds, medians", columns, tuple(rows))


def _round(folder: Path) -> list[Overhead]:
    _prepare(folder)
    order = (*LIGHT_BEFORE, *TRAINING, *LIGHT_BETWEEN, *STUDENTS, *LIGHT_AFTER)
    return [_run(each, folder) for each in order]


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
    (folder / usage.FOLDER).mkdir(parents=True)  # as DVC's runs leave it
    cost = {"stage": "distil", **usage.measure()}
    (folder / usage.FOLDER / "distil.json").write_text(json.dumps(cost), encoding="utf-8")


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
        [os.environ.get(PYTHON, sys.executable), *start, *options],
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
