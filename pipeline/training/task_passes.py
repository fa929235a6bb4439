"""Count the passes over each task's rows in an epoch, and the epochs of a baseline."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import count
from typing import NamedTuple

from pipeline.params.sampling import MergedSampling, Sampling
from pipeline.params.sections import Params
from pipeline.params.student import Student
from pipeline.training import task_sampling


class TaskRows(NamedTuple):
    """Rows of one task that are trained on.

    Attributes:
        gold: number of rows with a gold label, without those that early stopping holds out.
        further: number of rows that teachers alone label.
        taught: whether the task has teachers.
    """

    gold: int
    further: int = 0
    taught: bool = False


def passes(sampling: Sampling, rows: Mapping[str, TaskRows]) -> dict[str, Fraction]:
    """Passes over each task's rows in an epoch, for the tasks that make another number than 1.

    A baseline makes (T + X) / T times the student's epochs to take its steps, where the tasks with
    teachers have T rows with a gold label and X further ones. `passes: auto` gives the student's
    tasks without teachers as many passes, or they would be seen less often than by the baseline.

    Args:
        sampling: kinds other than merged draw a task for each step and count no passes.
        rows: rows of every task that is trained on.
    """
    if not isinstance(sampling, MergedSampling):
        return {}
    if isinstance(sampling.passes, dict):
        # By its decimal digits: 2.3 is 23 / 10, not the binary number next to it.
        given = {task: Fraction(str(number)) for task, number in sampling.passes.items()}
        return {task: number for task, number in given.items() if task in rows and number != 1}
    gold = sum(task.gold for task in rows.values() if task.taught)
    further = sum(task.further for task in rows.values() if task.taught)
    if not gold or not further:
        return {}
    return {name: Fraction(gold + further, gold) for name, task in rows.items() if not task.taught}


def baseline_epochs(budget: str, params: Params, rows: Mapping[str, TaskRows]) -> int:
    """Epochs of the baseline of one budget, which is trained on rows with a gold label alone.

    Args:
        budget: `epochs` for the student's own, `steps` for the fewest that take no fewer steps.
        params: sections `student` and `baseline`.
        rows: rows of every task that the student is trained on.

    Returns:
        The number of epochs; 0 for `steps` where the baseline of budget `epochs` takes the
        student's steps already.
    """
    own = params.student.epochs
    if budget == "epochs":
        return own
    epochs = _epochs_of_steps(rows, params.student)
    return 0 if epochs == own and "epochs" in params.baseline.budgets else epochs


def _epochs_of_steps(rows: Mapping[str, TaskRows], student: Student) -> int:
    """The fewest epochs, from the student's on, that take no fewer steps than the student."""
    sizes = {name: task.gold + task.further for name, task in rows.items()}
    wanted = task_sampling.steps(sizes, student, passes(student.sampling, rows))
    gold = {name: task._replace(further=0) for name, task in rows.items()}
    own, sizes = passes(student.sampling, gold), {name: task.gold for name, task in gold.items()}
    for epochs in count(student.epochs):
        if task_sampling.steps(sizes, student.model_copy(update={"epochs": epochs}), own) >= wanted:
            return epochs
    raise AssertionError("further epochs take further steps")
