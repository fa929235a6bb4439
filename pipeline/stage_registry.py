"""The table of stages: instances, outputs and resources, one row per stage.

Paths, command lines, fixes in errors, plan, driver, usage and results read these rows. dvc.yaml
repeats them for DVC, and each stage its purpose in its file and help; tests check that all agree.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby, product
from pathlib import Path
from typing import Any, Literal

from pipeline.errors import ParamsError

TASKS: Mapping[str, str] = {"task": "tasks"}
TEACHERS: Mapping[str, str] = {
    "task": "teachers.tasks",
    "member": "teachers.members",
    "fold": "teachers.folds",
}


@dataclass(frozen=True)
class Stage:
    """One row.

    Attributes:
        name: also its module's in stages/.
        does: its purpose, in one line.
        outputs: path of each output, with {key} for a name of the instance -> its content.
        keys: key of an instance -> path of its values in params.yaml, in DVC's order.
        work: `trains` and `scores` take threads, memory and a GPU, so an executor runs them;
            `light` takes one thread and no GPU.
        side_by_side: stages with the same word do not need each other and run in parallel; empty
            for one that runs alone.
        batch: paths of its batch size in params.yaml, the one that takes precedence first.
    """

    name: str
    does: str
    outputs: Mapping[str, str]
    keys: Mapping[str, str] = field(default_factory=dict)
    work: Literal["trains", "scores", "light"] = "light"
    side_by_side: str = ""
    batch: tuple[str, ...] = ()


CODE = "code"
"""The stage that all others depend on."""

_ROWS = (
    Stage(
        CODE,
        "Write a digest of the code of every stage.",
        {"data/code": "a digest of each stage's code"},
    ),
    Stage(
        "download",
        "Fetch or generate one task's files, byte for byte as the source gives them.",
        {"data/raw/{task}": "files as the source gives them"},
        TASKS,
    ),
    Stage(
        "prepare",
        "Turn one task's files into typed rows with ids, hashes and canonical labels.",
        {
            "data/prepared/{task}": "rows of every task, Parquet",
            "data/transfer/{task}": "further rows that only teachers label",
        },
        TASKS,
    ),
    Stage(
        "refine",
        "Fine-tune one candidate on all tasks with hard labels.",
        {"data/refined/{candidate}": "multi-task candidates, if any"},
        {"candidate": "refinement.candidates"},
        work="trains",
        side_by_side="candidates",
        batch=("refinement.candidates.{candidate}", "refinement"),
    ),
    Stage(
        "select",
        "Choose the best candidates by their dev scores on some tasks.",
        {
            "data/selected": "encoders of the best candidates",
            "data/selection.json": "scores and order of the candidates",
        },
    ),
    Stage(
        "initialize",
        "Write the encoder that one member is initialized from.",
        {"data/initial_encoders/{member}": "the encoder each member starts from"},
        {"member": "teachers.members"},
    ),
    Stage(
        "teach",
        "Fine-tune one teacher and keep its logits for every row.",
        {
            "data/teachers/{task}/{member}/{fold}": "teachers: weights, tokenizer, log",
            "data/logits/{task}/{member}/{fold}/prepared": "their logits of all rows, Parquet",
        },
        TEACHERS,
        work="trains",
        side_by_side="teachers",
        batch=("teachers.members.{member}", "teachers.tasks.{task}", "teachers"),
    ),
    Stage(
        "label",
        "Let one teacher score the transfer rows of its task.",
        {"data/logits/{task}/{member}/{fold}/transfer": "their logits of transfer rows, Parquet"},
        {**TEACHERS, "task": "transfer"},
        work="scores",
        side_by_side="labels",
        batch=("teachers.members.{member}", "teachers.tasks.{task}", "teachers"),
    ),
    Stage(
        "ensemble",
        "Join one task's member logits into its soft labels.",
        {"data/soft_labels/{task}.parquet": "soft labels of each task with teachers"},
        {"task": "teachers.tasks"},
    ),
    Stage(
        "feature_teachers",
        "Link the teachers whose features the student is trained to match.",
        {"data/feature_teachers": "teachers whose features are matched"},
    ),
    Stage(
        "budget",
        "Count the epochs of a baseline, by the student's epochs or by its steps.",
        {"data/budgets/{budget}.json": "epochs of each baseline"},
        {"budget": "baseline.budgets"},
    ),
    Stage(
        "distil",
        "Train the one multi-task student on hard and soft labels.",
        {"data/student": "the student: weights, log, logits"},
        work="trains",
        side_by_side="students",
        batch=("student",),
    ),
    Stage(
        "baseline",
        "Train the same student on hard labels only.",
        {"data/baseline/{budget}": "the same student without distillation"},
        {"budget": "baseline.budgets"},
        work="trains",
        side_by_side="students",
        batch=("student",),
    ),
    Stage(
        "tune",
        "Fine-tune the trained student on one task with hard labels.",
        {"data/tuned/{task}": "the student fine-tuned on single tasks"},
        {"task": "tuning.tasks"},
        work="trains",
        side_by_side="tuned",
        batch=("tuning.tasks.{task}", "tuning"),
    ),
    Stage(
        "evaluate",
        "Score teachers, ensembles, student and baseline with GLUE's metrics.",
        {"data/evaluation": "every system's predictions, figures"},
    ),
)
STAGES: Mapping[str, Stage] = {row.name: row for row in _ROWS}
"""All stages by name, each after those it needs."""

SIDE_BY_SIDE = tuple(
    tuple(row.name for row in rows)
    for group, rows in groupby(_ROWS, key=lambda row: row.side_by_side)
    if group
)
"""Groups of stages whose instances run in parallel, each after the groups it needs."""


def output(stage: str, number: int = 0, **names: str) -> Path:
    """Path of an output of a stage.

    Args:
        stage: its name.
        number: which of its outputs, from 0.
        names: of the instance, by key.
    """
    return Path([*STAGES[stage].outputs][number].format_map(names))


def instance(stage: str, params: Any, **names: str) -> str:
    """Name of an instance as DVC has it, such as teach@rte-m1-all.

    Args:
        stage: its name.
        params: params.yaml, checked.
        names: a value for each of the stage's keys.

    Raises:
        ParamsError: a name is not in params.yaml.
    """
    for key, where in STAGES[stage].keys.items():
        known = _values(params, where)
        if names[key] not in known:
            raise ParamsError(
                f"no such name under {where}; there are: {', '.join(known) or 'none'}",
                seen=names[key],
                where="params.yaml",
            )
    return _addressed(stage, [names[key] for key in STAGES[stage].keys])


def instances(stage: str, params: Any) -> list[str]:
    """Names of all instances of a stage as DVC has them, in DVC's order."""
    values = [_values(params, where) for where in STAGES[stage].keys.values()]
    return [_addressed(stage, combination) for combination in product(*values)]


def maker(path: Path) -> str | None:
    """The instance that writes a path relative to the root or one above it; None if none does."""
    for stage in _ROWS:
        for template in stage.outputs:
            pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+?)", re.escape(template))
            if match := re.match(rf"{pattern}(/|$)", path.as_posix()):
                return _addressed(stage.name, [match[key] for key in stage.keys])
    return None


def remake(path: Path, *, force: bool = False) -> str:
    """The command that makes the artifact at a path, or around it, again.

    Args:
        path: from the working directory, the project's root, or absolute.
        force: whether DVC may hold the artifact to be up to date, as one that is damaged in itself.
    """
    name = maker(Path(os.path.relpath(path)))
    if name is None:
        return "name another folder, or run the stage that makes this one again"
    # A single item: --force alone would make again all that the stage needs.
    return f"dvc repro {'--single-item --force ' if force else ''}{name}"


def order(name: str) -> int:
    """Place of a stage or instance among all stages; after all of them if it is none."""
    names = [*STAGES]
    stage = name.partition("@")[0]
    return names.index(stage) if stage in names else len(names)


def outputs() -> Iterator[tuple[str, str]]:
    """Path and contents of every output, instances by their keys in capitals."""
    for stage in _ROWS:
        for template, holds in stage.outputs.items():
            yield re.sub(r"\{(\w+)\}", lambda key: key[1].upper(), template), holds


def _addressed(stage: str, names: list[str] | tuple[str, ...]) -> str:
    return f"{stage}@{'-'.join(names)}" if names else stage


def _values(params: Any, where: str) -> list[str]:
    """Names at a path of params.yaml: the keys of a mapping or the items of a list."""
    for part in where.split("."):
        params = getattr(params, part)
    return [str(name) for name in params]
