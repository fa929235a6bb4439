"""When a run writes its checkpoints: from time to time, and at once for an interrupt.

Run with: python -m pytest tests/pipeline/training/resume/test_checkpoint_times.py
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch

from pipeline.training.resume import resume as resumption
from pipeline.training.resume.checkpoints import CheckpointFolder
from pipeline.training.resume.resume import Checkpointer, State


class Part:
    """A part that is a number."""

    def state(self):
        return State({"x": torch.zeros(1)}, {})

    def load_state(self, state):
        raise AssertionError("there was nothing")


class Clock:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self):
        return self.now


def _written(monkeypatch, seconds, cost, moments):
    """Which of some moments a checkpoint was written at."""
    clock, written = Clock(), []

    def write(*_):
        written.append(clock.now)
        clock.now += cost

    monkeypatch.setattr(CheckpointFolder, "write", write)
    resume = Checkpointer(CheckpointFolder(Path("nowhere")), "now", "teach", seconds, clock)
    resume.restore({"part": Part()})
    for number, moment in enumerate(moments):
        clock.now = max(clock.now, moment)
        resume.keep(number, {"part": Part()})
    return written


@pytest.mark.parametrize(
    ("seconds", "cost", "expected"),
    [
        (100, 0.0, [100, 200, 300, 400]),
        (100, 1.0, [100, 210, 320]),  # the next one 100 s after the last one's end, in steps of 10
        (100, 4.0, [100, 310]),  # 50 times 4 s
        (0, 0.0, [*range(0, 410, 10)]),
    ],
)
def test_the_pace(monkeypatch, seconds, cost, expected):
    assert _written(monkeypatch, seconds, cost, range(0, 410, 10)) == expected


def test_a_clock_that_is_set_back_changes_nothing(tmp_path, monkeypatch):
    """The clock of the wall may jump; the one that is read may not."""
    monkeypatch.setattr(time, "time", lambda: -1e9)
    checkpoints = CheckpointFolder(tmp_path / "run")
    resume = Checkpointer(checkpoints, "now", "teach", 0.05)
    resume.keep(1, {"part": Part()})
    assert checkpoints.numbers() == []
    time.sleep(0.06)
    resume.keep(2, {"part": Part()})
    assert checkpoints.numbers() == [2]
    assert resumption.time.monotonic is time.monotonic


def test_it_is_written_at_once_for_an_interrupt(tmp_path):
    checkpoints = CheckpointFolder(tmp_path / "run")
    resume = Checkpointer(checkpoints, "now", "teach", 1e9)
    resume.keep(1, {"part": Part()})
    resume.keep(2, {"part": Part()}, at_once=True)
    assert checkpoints.numbers() == [2]
