"""Losses are read 25 at a time, every step has its line, and one that is not finite stops all.

Run with: python -m pytest tests/pipeline/training/test_step_log.py
"""

from __future__ import annotations

import csv

import pytest
import torch

from pipeline.errors import TrainingError
from pipeline.training import step_log


def test_lines_are_written_every_25_steps_and_at_a_flush(tmp_path):
    path = tmp_path / "log.csv"
    with step_log.opened(path, "teach") as log:
        notes = [log.add(n, n // 10, "rte", 8, torch.tensor(float(n)), 0.5) for n in range(27)]
        assert [n for n, note in enumerate(notes) if note] == [24]
        assert notes[24] == "loss 12.000"  # mean of 0 to 24
        assert log.flush() == "loss 25.500"
        assert log.flush() == ""
    with path.open() as file:
        lines = list(csv.DictReader(file))
    assert [int(line["step"]) for line in lines] == list(range(27))
    assert lines[26] == {
        "step": "26",
        "epoch": "2",
        "task": "rte",
        "loss": "26.000000",
        "learning_rate": "0.5",
    }


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_is_named(tmp_path, value):
    with step_log.opened(tmp_path / "log.csv", "teach") as log:
        log.add(7, 1, "rte", 8, torch.tensor(1.0), 0.25)
        log.add(8, 1, "cola", 8, torch.tensor(value), 0.125)
        with pytest.raises(TrainingError, match="task cola is not finite at step 8") as error:
            log.flush()
    assert "teach, learning rate 0.125" in str(error.value)


def test_the_note_has_the_largest_tasks_shares_of_the_rows(tmp_path):
    rows = {"a": 5, "b": 30, "c": 40, "d": 10, "e": 10, "f": 5}
    with step_log.opened(tmp_path / "log.csv", "teach") as log:
        for task, number in rows.items():
            log.add(0, 0, task, number, torch.tensor(1.0), 0.1)
        assert log.flush() == "loss 1.000, c 40%, b 30%, d 10%, e 10%, 2 more"


def test_those_who_watch_see_the_lines_that_are_written(tmp_path):
    live = tmp_path / "logs" / "teach.csv"
    with step_log.opened(tmp_path / "log.csv", "teach", live) as log:
        for step in range(30):
            log.add(step, 0, "rte", 8, torch.tensor(1.0), 0.5)
        assert len(live.read_text().splitlines()) == 26  # the header and 25 steps, while it runs
        log.flush()
    assert live.read_bytes() == (tmp_path / "log.csv").read_bytes()


def test_without_a_place_for_those_who_watch_the_log_is_written(tmp_path):
    (tmp_path / "file").touch()
    with step_log.opened(tmp_path / "log.csv", "teach", tmp_path / "file" / "live.csv") as log:
        log.add(0, 0, "rte", 8, torch.tensor(1.0), 0.5)
        log.flush()
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 2


def test_it_goes_on_behind_the_lines_that_were_kept(tmp_path):
    with step_log.opened(tmp_path / "first.csv", "teach") as log:
        log.add(0, 0, "rte", 8, torch.tensor(1.0), 0.5)
        state = log.state()
        log.add(1, 0, "rte", 8, torch.tensor(2.0), 0.5)  # after the checkpoint, and lost with it
        log.flush()
    with step_log.opened(tmp_path / "second.csv", "teach") as log:
        log.load_state(state)
        assert log.rows == {"rte": 8}
        log.add(1, 0, "rte", 8, torch.tensor(2.0), 0.5)
        log.flush()
    assert (tmp_path / "first.csv").read_bytes() == (tmp_path / "second.csv").read_bytes()
