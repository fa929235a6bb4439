"""Choose the baseline that counts: the stronger one, by rows held out of train if there are any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Literal

from pipeline import metrics, paths
from pipeline.data import rows
from pipeline.errors import DataError
from pipeline.soft_labels import logits
from pipeline.soft_labels.logits import Logits
from pipeline.stage_registry import remake

Rule = Literal["only", "held_out", "dev"]


@dataclass(frozen=True)
class Choice:
    """The baseline that counts.

    Attributes:
        budget: its budget, `epochs` or `steps`.
        rule: `only` where it is the only one; `held_out` if it has the highest score on rows held
            out of train, `dev` if it has the highest mean dev score.
        scores: score of every baseline by its budget, as fractions; {} for the only one.
        rows: number of the rows that were held out.
    """

    budget: str
    rule: Rule = "only"
    scores: Mapping[str, float] = field(default_factory=dict)
    rows: int = 0

    @property
    def budgets(self) -> tuple[str, ...]:
        """Budgets of all baselines that were trained."""
        return tuple(self.scores) or (self.budget,)


def choose(tasks: Sequence[str], budgets: Sequence[str]) -> Choice:
    """Choose the baseline that the student is compared with.

    With early stopping all baselines have held out the same rows of train, on which the score of
    their kept epoch decides. Without it their mean dev score decides, in the baseline's favour: it
    is chosen by the rows that are reported. Of equal ones the first counts.

    Args:
        tasks: the evaluated tasks.
        budgets: `baseline.budgets`; one that was not trained is left out.

    Raises:
        SoftLabelError: a baseline's logits are missing.
        DataError: no baseline was trained.
    """
    trained = {
        budget: [logits.read(paths.task_logits(paths.baseline(budget), task)) for task in tasks]
        for budget in budgets
        if not (paths.baseline(budget) / rows.MISSING).exists()
    }
    if not trained:
        fix = remake(paths.baseline(budgets[0]), force=True)
        raise DataError("no baseline was trained", where=paths.BASELINE, fix=fix)
    first, *others = trained
    if not others or not tasks:
        return Choice(first)
    held_out = {budget: by_task[0].model.get("held_out") for budget, by_task in trained.items()}
    if all(held_out.values()):
        return _by_held_out(held_out)
    scores = {budget: fmean(map(_dev_score, by_task)) for budget, by_task in trained.items()}
    return Choice(_best(scores), "dev", scores)


def _by_held_out(held_out: Mapping[str, Any]) -> Choice:
    scores = {budget: kept["score"] for budget, kept in held_out.items()}
    return Choice(
        _best(scores), "held_out", scores, max(kept["rows"] for kept in held_out.values())
    )


def _dev_score(kept: Logits) -> float:
    return metrics.task_score(kept.task, kept.model["dev"])


def _best(scores: Mapping[str, float]) -> str:
    return max(scores, key=lambda budget: scores[budget])
