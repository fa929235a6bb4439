"""The settings that docs/evidence.md compares, the most informative first."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.errors import PipelineError
from pipeline.params.checks import messages
from pipeline.replication.settings import Setting

TAUGHT = ("mnli", "qqp", "qnli", "rte")

# Over the profile glue-cpu. A mapping is emptied key by key: DVC would merge {} into it.
SOFT_LABELS = "distillation.features=null"  # in place of hidden states
IN_FOLD = tuple(f"~transfer.{task}" for task in TAUGHT)
PLAIN = (
    *(f"~refinement.candidates.{name}" for name in ("c1", "c2", "c3")),
    *(f"~teachers.members.{name}" for name in ("m2", "m3")),
    "~teachers.members.m1.refined",
    "teachers.epochs=3",
    "teachers.learning_rate=1.0e-4",
    *IN_FOLD,
)
"""Candidates have seen all train rows, so cross-fitting starts from the plain encoder. One member
makes three models of a task."""
FOLDED = (*PLAIN, "teachers.folds=[1,2,3]")
SAME_SIZE = ("student.encoder.layers=all", "student.learning_rate=1.0e-4", SOFT_LABELS)
"""No hidden states: a student of the teachers' own layers has nothing to find again."""


def _loss(name: str, title: str, *changes: str) -> Setting:
    return Setting(name, title, (*IN_FOLD, SOFT_LABELS, *changes), "losses", "paper")


SETTINGS = (
    Setting("half", "half the teachers' depth", (), "main"),
    Setting("same", "the teachers' size", SAME_SIZE, "main"),
    Setting("soft_labels", "half the depth, soft labels alone", (SOFT_LABELS,), "main"),
    Setting(
        "paper",
        "paper's loss, no transfer rows",
        (*IN_FOLD, SOFT_LABELS),
        "losses",
        "soft_labels",
    ),
    _loss("one_teacher", "one teacher", "ensemble.members=[m1]"),
    _loss("mean_logit", "mean logit", "ensemble.rule=mean_logit"),
    _loss("annealed", "annealed from teacher to gold", "distillation.hard_weight=annealed"),
    _loss("soft_only", "hard weight 0", "distillation.hard_weight=0.0"),
    _loss("temperature_2", "temperature 2", "distillation.temperature=2.0"),
    _loss("temperature_4", "temperature 4", "distillation.temperature=4.0"),
    Setting("plain", "one teacher, not refined", (*PLAIN, SOFT_LABELS), "folds"),
    Setting("crossfit", "cross-fitted", (*FOLDED, SOFT_LABELS), "folds", "plain"),
    Setting(
        "calibrated",
        "cross-fitted, calibrated",
        (*FOLDED, SOFT_LABELS, "ensemble.calibration=held_out"),
        "folds",
        "plain",
    ),
)


def select(names: Sequence[str]) -> list[Setting]:
    """Select the named settings in the order of the grid; all if none is named.

    Raises:
        PipelineError: there is no setting of a name.
    """
    known = [setting.name for setting in SETTINGS]
    if unknown := [name for name in names if name not in known]:
        raise PipelineError(
            f"no such setting{messages.near(unknown[0], known)}",
            seen=", ".join(unknown),
            where="--only",
            fix=f"choose from {', '.join(known)}",
        )
    return [setting for setting in SETTINGS if not names or setting.name in names]
