"""Time the predictions of one teacher, of the ensemble, and of the student that replaces it.

Run it where everything is up to date, on an idle machine. It reads models, soft labels and scores
and writes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from pipeline import paths
from pipeline.data import rows
from pipeline.errors import DataError
from pipeline.params.sections import Params
from pipeline.runtime import artifacts
from pipeline.tasks import part_of

if TYPE_CHECKING:
    import numpy as np

    from pipeline.data.rows import Rows
    from pipeline.model.saved_model import LoadedModel
    from pipeline.runtime.hardware import Hardware
    from pipeline.soft_labels.schema import SoftLabels

ENSEMBLE, STUDENT = "ensemble", "student"
_PREDICTIONS = 1000  # that the seconds in the table are for


@dataclass(frozen=True)
class System:
    """The models that predict one task.

    Attributes:
        name: as the table has it.
        score: its task score on the dev rows, percent.
        members: its models, those of one member's folds together.
        soft: how members are combined; None where there is one model alone.
    """

    name: str
    score: float
    members: Sequence[Sequence[LoadedModel]]
    soft: SoftLabels | None

    @property
    def parameters(self) -> int:
        """Weights of all its models."""
        return sum(model.manifest["parameters"] for folds in self.members for model in folds)

    def predict(self, asked: Rows, machine: Hardware) -> np.ndarray:
        """Probabilities `(rows, classes)`, or scores `(rows, 1)`, from texts on."""
        import numpy as np

        from pipeline.soft_labels import ensemble_rules

        stacked = np.stack(
            [
                np.mean([_logits(model, asked, machine) for model in folds], axis=0)
                for folds in self.members
            ]
        )
        if self.soft is not None:
            return self.soft.combine(stacked)
        return stacked[0] if asked.task.regression else ensemble_rules.softmax(stacked[0])


def run(params: Params, repeats: int) -> list[str]:
    """Time every system of every task with teachers on its dev rows, in turns.

    Returns:
        A Markdown table, and below it the machine it was measured on.

    Raises:
        PipelineError: a model, soft labels or scores are not there.
    """
    import pandas as pd

    from pipeline.evaluation.report.markdown_table import markdown
    from pipeline.runtime import choices, hardware

    if not paths.METRICS.exists():
        raise DataError("no scores", where=paths.METRICS, fix="make repro")
    known = artifacts.read_json(paths.METRICS)["tasks"]
    here = params.machine.model_copy(update=choices.values(params.machine))
    machine = hardware.set_up(here)
    systems = [
        row
        for task in params.teachers.tasks
        if not rows.absent(paths.prepared(task))
        for row in _of_task(task, known.get(task, {}), machine, repeats)
    ]
    table = markdown(pd.DataFrame(systems)).splitlines()
    return [*table, "", f"Median of {repeats} rounds and range; {machine.reason}."]


def _of_task(
    task: str, known: Mapping[str, Any], machine: Hardware, repeats: int
) -> list[dict[str, str]]:
    """A row of the table for each system."""
    splits = rows.read_splits(paths.prepared(task))
    asked = [dev for split, dev in splits.items() if part_of(split) == "dev"]
    systems = _systems(task, known)
    seconds: dict[str, list[float]] = {system.name: [] for system in systems}
    for _ in range(repeats):
        for system in systems:
            seconds[system.name].append(_seconds(system, asked, machine))
    return [_row(asked[0].task.title, system, seconds) for system in systems]


def _systems(task: str, known: Mapping[str, Any]) -> list[System]:
    """The ensemble's first member, the ensemble, the student."""
    from pipeline.model import saved_model
    from pipeline.soft_labels import store

    soft = store.read(paths.soft_labels(task))
    members = [
        [saved_model.load(paths.teacher(task, member, fold)) for fold in soft.folds]
        for member in soft.members
    ]
    first = soft.members[0]
    return [
        System(f"teacher {first}", _score(known, "teachers", first), members[:1], None),
        System(ENSEMBLE, _score(known, ENSEMBLE), members, soft),
        System(STUDENT, _score(known, STUDENT), [[saved_model.load(paths.STUDENT)]], None),
    ]


def _score(known: Mapping[str, Any], *names: str) -> float:
    """Task score in percent as in the reports."""
    figures: Any = known
    for name in names:
        if name not in figures:
            raise DataError(
                "the scores are of other models", seen=name, where=paths.METRICS, fix="make repro"
            )
        figures = figures[name]
    return float(figures["score"])


def _logits(model: LoadedModel, asked: Rows, machine: Hardware) -> np.ndarray:
    from pipeline.model import scoring, tokenization

    network = model.network.to(machine.device)
    packed = tokenization.tokenise(asked, model.tokenizer, model.manifest["training"]["max_length"])
    return scoring.logits(network, asked.task.name, packed, machine, model.manifest["name"])


def _seconds(system: System, asked: Sequence[Rows], machine: Hardware) -> float:
    """Wall seconds for 1,000 predictions."""
    begin = time.perf_counter()
    for some in asked:
        system.predict(some, machine)
    return (time.perf_counter() - begin) * _PREDICTIONS / sum(map(len, asked))


def _row(title: str, system: System, seconds: Mapping[str, Sequence[float]]) -> dict[str, str]:
    own = seconds[system.name]
    share = median(one / whole for one, whole in zip(own, seconds[ENSEMBLE], strict=True))
    return {
        "Task": title,
        "Answers": system.name,
        "Score": f"{system.score:.1f}",
        "Parameters, millions": f"{system.parameters / 1e6:.2f}",
        "Seconds for 1,000": f"{median(own):.1f} ({min(own):.1f} to {max(own):.1f})",
        "of the ensemble's": f"{share:.2f}",
    }
