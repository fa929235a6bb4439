"""Passes and epochs by hand: students and baselines of a few rows.

Run with: python -m pytest tests/pipeline/training/test_task_passes.py
"""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.params.sampling import MergedSampling, UniformSampling
from pipeline.training import task_passes, task_sampling
from pipeline.training.task_passes import TaskRows

AUTO = MergedSampling(kind="merged")
ROWS = {
    "rte": TaskRows(gold=60, further=90, taught=True),
    "qnli": TaskRows(gold=40, taught=True),
    "cola": TaskRows(gold=30),
}


def test_tasks_without_teachers_make_as_many_passes_as_a_baseline_of_the_students_steps() -> None:
    """100 gold rows and 90 further ones of the tasks with teachers: 190 / 100 passes an epoch."""
    assert task_passes.passes(AUTO, ROWS) == {"cola": Fraction(19, 10)}


@pytest.mark.parametrize(
    "rows",
    [
        {name: own._replace(further=0) for name, own in ROWS.items()},
        {name: own._replace(taught=False, further=0) for name, own in ROWS.items()},
        {"rte": ROWS["rte"], "qnli": ROWS["qnli"]},
        {"rte": TaskRows(gold=0, further=5, taught=True), "cola": ROWS["cola"]},
    ],
    ids=["no transfer rows", "no teachers", "only tasks with teachers", "no gold rows of them"],
)
def test_one_pass_where_nobody_is_starved(rows: dict[str, TaskRows]) -> None:
    assert task_passes.passes(AUTO, rows) == {}


def test_given_passes_are_exact_decimals() -> None:
    given_passes = MergedSampling(kind="merged", passes={"cola": 2.3, "rte": 1.0, "gone": 3.0})
    assert task_passes.passes(given_passes, ROWS) == {"cola": Fraction(23, 10)}
    assert task_passes.passes(MergedSampling(kind="merged", passes={}), ROWS) == {}


def test_tasks_that_are_drawn_at_random_count_no_passes() -> None:
    assert task_passes.passes(UniformSampling(kind="uniform"), ROWS) == {}


def params(tiny_params, budgets=("epochs", "steps"), **student):
    changed = tiny_params.student.model_copy(update={"epochs": 3, "batch_size": 10, **student})
    baseline = tiny_params.baseline.model_copy(update={"budgets": list(budgets)})
    return tiny_params.model_copy(update={"student": changed, "baseline": baseline})


# In batches of 10, three epochs: 3 x (15 + 4) steps of the tasks with teachers and, in 1.9 passes,
# ceil(3 x 1.9 x 3) = 18 of CoLA: 75. A baseline takes 6 + 4 + 3 = 13 an epoch: 6 epochs are 78.
# In one pass it is 3 x 22 = 66, so 6 epochs again; and 5 x 13 = 65 is one too few.
@pytest.mark.parametrize("passes", ["auto", {}])
def test_epochs_of_the_students_steps_by_hand(tiny_params, passes) -> None:
    own = params(tiny_params, sampling=MergedSampling(kind="merged", passes=passes))
    assert task_passes.baseline_epochs("epochs", own, ROWS) == 3
    assert task_passes.baseline_epochs("steps", own, ROWS) == 6


def test_given_passes_are_the_baselines_too(tiny_params) -> None:
    """CoLA 3 x 2.5 x 3 = 22.5, so 23 steps of 80; of a baseline 10 and ceil(7.5) in one epoch.

    Four epochs are 40 + 30, five are 50 + 38.
    """
    own = params(tiny_params, sampling=MergedSampling(kind="merged", passes={"cola": 2.5}))
    assert task_passes.baseline_epochs("steps", own, ROWS) == 5


def test_without_transfer_rows_no_second_baseline_is_trained_unless_it_is_the_only_one(
    tiny_params,
) -> None:
    rows = {name: own._replace(further=0) for name, own in ROWS.items()}
    assert task_passes.baseline_epochs("steps", params(tiny_params), rows) == 0
    assert task_passes.baseline_epochs("epochs", params(tiny_params), rows) == 3
    assert task_passes.baseline_epochs("steps", params(tiny_params, ["steps"]), rows) == 3


@given(
    gold=st.lists(st.integers(1, 200), min_size=2, max_size=4),
    further=st.integers(0, 500),
    epochs=st.integers(1, 4),
    batch_size=st.integers(1, 33),
)
def test_the_baseline_takes_no_fewer_steps_and_not_an_epoch_more(
    params_of_steps, gold, further, epochs, batch_size
) -> None:
    rows = {f"t{at}": TaskRows(size) for at, size in enumerate(gold)}
    rows["t0"] = TaskRows(gold[0], further, taught=True)
    own = params_of_steps(epochs, batch_size)
    baseline_epochs = task_passes.baseline_epochs("steps", own, rows)
    of_student = task_sampling.steps(
        {name: one.gold + one.further for name, one in rows.items()},
        own.student,
        task_passes.passes(AUTO, rows),
    )
    an_epoch = task_sampling.steps_per_epoch(
        {name: one.gold for name, one in rows.items()}, own.student
    )
    assert 0 <= baseline_epochs * an_epoch - of_student < an_epoch


@pytest.fixture(scope="module")
def params_of_steps(defaults):
    """`params_of_steps(epochs, batch_size)` gives parameters with the budget `steps` alone."""
    return lambda epochs, batch_size: params(
        defaults, ["steps"], epochs=epochs, batch_size=batch_size
    )
