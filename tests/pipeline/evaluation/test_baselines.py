"""The stronger baseline counts: by rows held out of train, or else by dev rows.

Run with: python -m pytest tests/pipeline/evaluation/test_baselines.py
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline import paths
from pipeline.data import rows
from pipeline.errors import DataError
from pipeline.evaluation import baselines
from pipeline.evaluation.baselines import Choice
from pipeline.runtime import artifacts
from pipeline.soft_labels import logits

BOTH = ("epochs", "steps")
EXAMPLES = [("a", "b", 0), ("c", "d", 1)]
Put = Callable[..., None]


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Any) -> Put:
    """`put(budget, rte, mrpc, held_out)` writes a baseline with these dev accuracies."""
    monkeypatch.chdir(tmp_path)

    def write(budget: str, rte: float, mrpc: float, held_out: float | None = None) -> None:
        kept = None if held_out is None else {"rows": 40, "epoch": 2, "score": held_out}
        for task, dev in (("rte", {"accuracy": rte}), ("mrpc", {"accuracy": mrpc, "f1": mrpc})):
            splits = {"dev": make(task, "dev", EXAMPLES)}
            about = {"name": budget, "dev": {"dev": dev}, "held_out": kept}
            path = paths.task_logits(paths.baseline(budget), task)
            logits.write(path, splits, {"dev": np.zeros((2, 2))}, about)

    return write


# Dev means: (0.5 + 0.7) / 2 = 0.6 and (0.8 + 0.2) / 2 = 0.5.
DEV = {"epochs": (0.5, 0.7), "steps": (0.8, 0.2)}


@pytest.mark.parametrize(
    ("held_out", "choice"),
    [
        ((0.3, 0.4), Choice("steps", "held_out", {"epochs": 0.3, "steps": 0.4}, 40)),
        ((0.4, 0.3), Choice("epochs", "held_out", {"epochs": 0.4, "steps": 0.3}, 40)),
        ((0.4, 0.4), Choice("epochs", "held_out", {"epochs": 0.4, "steps": 0.4}, 40)),
        ((None, None), Choice("epochs", "dev", {"epochs": 0.6, "steps": 0.5})),
    ],
)
def test_the_stronger_one_counts(put: Put, held_out: Any, choice: Choice) -> None:
    for budget, score in zip(BOTH, held_out, strict=True):
        put(budget, *DEV[budget], score)
    chosen = baselines.choose(["rte", "mrpc"], BOTH)
    assert (chosen.budget, chosen.rule, chosen.rows) == (choice.budget, choice.rule, choice.rows)
    assert chosen.scores == pytest.approx(choice.scores)
    assert chosen.budgets == BOTH


def test_dev_rows_of_tasks_that_are_not_evaluated_decide_nothing(put: Put) -> None:
    for budget in BOTH:
        put(budget, *DEV[budget])
    assert baselines.choose(["rte"], BOTH).budget == "steps"


def test_a_baseline_that_is_not_trained_is_left_out(put: Put) -> None:
    put("epochs", 0.5, 0.5)
    artifacts.write_json(paths.baseline("steps") / rows.MISSING, {"note": "as many steps"})
    chosen = baselines.choose(["rte", "mrpc"], BOTH)
    assert chosen == Choice("epochs")
    assert chosen.budgets == ("epochs",)
    with pytest.raises(DataError, match="no baseline was trained"):
        baselines.choose(["rte"], ["steps"])


def test_a_baseline_of_a_budget_that_is_not_asked_for_is_not_read(put: Put) -> None:
    for budget in BOTH:
        put(budget, *DEV[budget], 0.5)
    assert baselines.choose(["rte"], ["steps"]) == Choice("steps")
