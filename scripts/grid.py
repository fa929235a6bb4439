"""The settings that docs/evidence.md compares, the most informative first."""

from __future__ import annotations

from dataclasses import dataclass

TAUGHT = ("mnli", "qqp", "qnli", "rte")
OTHERS = ("cola", "sst2", "mrpc", "stsb", "wnli")

# Over the profile glue-cpu: what all runs share.
BASE = ()
FOUR = tuple(f"~tasks.{task}" for task in OTHERS)
IN_FOLD = ("transfer={}",)
CROSS_FITTED = ("teachers.folds=[1,2,3]",)
CALIBRATED = (*CROSS_FITTED, "ensemble.calibration=held_out")
SAME_SIZE = ("student.encoder.layers=all",)


@dataclass(frozen=True)
class Setting:
    """One column of changes to the profile.

    Attributes:
        name: names its experiments, `<name>-<seed>`.
        title: what the table says.
        changes: overrides as `dvc exp run -S` takes them.
        group: table that it belongs to.
        against: name of the setting that it is compared with; "" for its own baseline.
    """

    name: str
    title: str
    changes: tuple[str, ...]
    group: str
    against: str = ""


SETTINGS = (
    Setting("half", "half the teachers' depth", (), "main"),
    Setting("same", "the teachers' size", SAME_SIZE, "main"),
    Setting("paper", "paper's loss, in-fold", (*FOUR, *IN_FOLD), "losses"),
    Setting("transfer", "paper's loss, transfer rows", FOUR, "losses", "paper"),
    Setting("crossfit", "cross-fitted", (*FOUR, *IN_FOLD, *CROSS_FITTED), "losses", "paper"),
    Setting(
        "calibrated", "cross-fitted, calibrated", (*FOUR, *IN_FOLD, *CALIBRATED), "losses", "paper"
    ),
    Setting(
        "annealed",
        "annealed from teacher to gold",
        (*FOUR, *IN_FOLD, "distillation.hard_weight=annealed"),
        "losses",
        "paper",
    ),
    Setting(
        "soft_only",
        "hard weight 0",
        (*FOUR, *IN_FOLD, "distillation.hard_weight=0.0"),
        "losses",
        "paper",
    ),
    Setting(
        "temperature_2",
        "temperature 2",
        (*FOUR, *IN_FOLD, "distillation.temperature=2.0"),
        "losses",
        "paper",
    ),
    Setting(
        "temperature_4",
        "temperature 4",
        (*FOUR, *IN_FOLD, "distillation.temperature=4.0"),
        "losses",
        "paper",
    ),
    Setting(
        "one_teacher",
        "one teacher",
        (*FOUR, "ensemble.members=[m1]"),
        "losses",
        "transfer",
    ),
    Setting(
        "mean_logit",
        "mean logit",
        (*FOUR, "ensemble.rule=mean_logit"),
        "losses",
        "transfer",
    ),
)


def chosen(names: list[str]) -> list[Setting]:
    """The named settings in the order of the grid; all if none is named."""
    return [setting for setting in SETTINGS if not names or setting.name in names]
