"""Losses are read 25 at a time, every step has its line, and one that is not finite stops all.

Run with: python -m pytest tests/pipeline/learning/test_step_log.py
"""

from __future__ import annotations

import csv

import pytest
import torch

from pipeline.errors import TrainingError
from pipeline.learning import step_log


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
        with pytest.raises(TrainingError, match="task cola is not finite at step 8") as caught:
            log.flush()
    assert "teach, learning rate 0.125" in str(caught.value)
