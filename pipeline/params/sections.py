"""All of params.yaml: its sections, one model each; a key that is not here is refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from pipeline.params.data import Caps, Data, Hub, Official, Retry, Sample, TaskParams, Transfer
from pipeline.params.distillation import Distillation
from pipeline.params.fields import DEVICE, Count, Name, Section
from pipeline.params.student import Student, Tuning
from pipeline.params.teachers import Ensemble, Member, Refinement, Rule, Selection, Teachers
from pipeline.params.training import EarlyStopping, Overrides, Training, Variant

__all__ = [
    "Caps",
    "Data",
    "Distillation",
    "EarlyStopping",
    "Ensemble",
    "Hub",
    "Machine",
    "Member",
    "Official",
    "Overrides",
    "Params",
    "Refinement",
    "Retry",
    "Rule",
    "Sample",
    "Selection",
    "Student",
    "TaskParams",
    "Teachers",
    "Training",
    "Transfer",
    "Tuning",
    "Variant",
]


class Machine(Section):
    """The hardware; precision, engine and shards decide results; the rest reruns nothing."""

    device: Annotated[str, StringConstraints(pattern=DEVICE)]
    precision: Literal["auto", "float32", "bfloat16", "float16"]
    engine: Literal["fast", "plain"]
    """What a model trains with. fast: on a CPU dropout and attention that are drawn from seeds of
    their own, and shards side by side. plain: torch's dropout and transformers' attention, a batch
    in one piece and in one thread. Without dropout losses of the two are the same within 1e-5 of
    their size a step; with it only on average, as the masks are others."""
    threads: Literal["auto"] | Count
    """CPU threads of one stage; auto divides the physical cores among parallel stages."""
    shards: Literal["auto"] | Count
    """Parts of a training batch that threads work on; they decide masks and a sum's last bit. auto:
    as many as physical cores, up to 8. On a GPU and with the plain engine there is 1. For the same
    bytes on machines with other numbers of cores set it to a number."""
    labelling_tokens: Annotated[int, Field(ge=512)]
    """Tokens, padding included, that one forward pass holds when rows are scored."""
    checkpoint_seconds: Annotated[float, Field(ge=0)]
    """Seconds between checkpoints of a training, more where writing one takes over a fiftieth of
    that. 0: one before every step, whatever it costs."""


class Params(Section):
    """All of params.yaml."""

    data: Data
    tasks: Annotated[dict[Name, TaskParams], Field(min_length=1)]
    transfer: dict[Name, Transfer]
    """Tasks with further rows for the student; {} for none."""
    refinement: Refinement
    selection: Selection
    teachers: Teachers
    ensemble: Ensemble
    student: Student
    distillation: Distillation
    tuning: Tuning
    machine: Machine
