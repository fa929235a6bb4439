"""The model of params.yaml: one model per section; unknown keys are refused."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.params.data import Caps, Data, Retry, TaskParams, Transfer
from pipeline.params.distillation import Distillation
from pipeline.params.fields import Name, Section
from pipeline.params.machine import Machine
from pipeline.params.student import Baseline, Student, Tuning
from pipeline.params.teachers import Ensemble, Member, Refinement, Selection, Teachers
from pipeline.params.training import EarlyStopping, Overrides, Training, Variant

__all__ = [
    "Baseline",
    "Caps",
    "Data",
    "Distillation",
    "EarlyStopping",
    "Ensemble",
    "Machine",
    "Member",
    "Overrides",
    "Params",
    "Refinement",
    "Retry",
    "Selection",
    "Student",
    "TaskParams",
    "Teachers",
    "Training",
    "Transfer",
    "Tuning",
    "Variant",
]


class Params(Section):
    """All of params.yaml."""

    data: Data
    tasks: Annotated[dict[Name, TaskParams], Field(min_length=1)]
    """Tasks to prepare and to train the student on."""
    transfer: dict[Name, Transfer]
    """Tasks with further rows for the student; {} for none."""
    refinement: Refinement
    selection: Selection
    teachers: Teachers
    ensemble: Ensemble
    student: Student
    baseline: Baseline
    distillation: Distillation
    tuning: Tuning
    machine: Machine
