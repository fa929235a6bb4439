"""What a run has trained on is counted by hand, and a resumed run goes on counting.

Run with: python -m pytest tests/pipeline/training/test_amounts.py
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from pipeline.training.amounts import Amounts
from pipeline.training.task_sampling import Step

SETS = {
    "rte": SimpleNamespace(tokens=SimpleNamespace(lengths=np.array([9, 3, 7]))),
    "cola": SimpleNamespace(tokens=SimpleNamespace(lengths=np.array([4, 6]))),
}
STEPS = [
    (0, Step("rte", (np.array([0, 2]), np.array([1])))),  # two batches: 16 and 3 tokens
    (0, Step("cola", (np.array([1]),))),
    (1, Step("rte", (np.array([1]),))),
]


def test_steps_epochs_rows_and_tokens_are_added_up() -> None:
    whole, resumed = Amounts(), Amounts()
    for epoch, step in STEPS:
        whole.add(step, epoch, SETS)
    assert whole == Amounts(steps=3, epochs=2, rows=5, tokens=16 + 3 + 6 + 3)
    first = Amounts()
    first.add(STEPS[0][1], 0, SETS)
    resumed.load_state(first.state())
    for epoch, step in STEPS[1:]:
        resumed.add(step, epoch, SETS)
    assert resumed == whole
