"""Faults between sections; read from plain values, so that other faults do not hide them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.params import faults
from pipeline.tasks import GLUE

Values = Mapping[str, Any]


def find(values: Values) -> Iterator[str]:
    """One line for each thing that one section says against another."""
    if isinstance(values.get("tasks"), Mapping):
        yield from _tasks(values)
        yield from _named_tasks(values)
        yield from _transfer(values)
        yield from _folds(values)
        yield from _heads(values)
    yield from _named_members(values)
    yield from _candidates(values)
    yield from _calibration(values)
    yield from _rows_seen_before(values)


def _tasks(values: Values) -> Iterator[str]:
    for name, task in values["tasks"].items():
        if not isinstance(name, str):  # already a fault of its own
            continue
        custom = task.get("custom") if isinstance(task, Mapping) else None
        if name not in GLUE and custom is None:
            meant = faults.near(name, GLUE)
            yield f"tasks.{name}: not a GLUE task ({', '.join(GLUE)}) and without `custom`{meant}"
        if name in GLUE and custom is not None:
            yield f"tasks.{name}.custom: {name} is a GLUE task; give your own task another name"


_TASK_KEYS = (
    ("teachers", "tasks"),
    ("refinement", "heads"),
    ("student", "heads"),
    ("student", "task_weights"),
    ("student", "sampling", "weights"),
    ("refinement", "sampling", "weights"),
    ("tuning", "tasks"),
)
"""Mappings whose keys are names of tasks."""


def _named_tasks(values: Values) -> Iterator[str]:
    tasks = values["tasks"]
    for path in _TASK_KEYS:
        for name in _mapping(values, *path):
            if name not in tasks:
                yield _unknown_task(".".join(path), name, tasks)
    if _mapping(values, "refinement", "candidates"):
        for name in _list(values, "selection", "tasks"):
            if name not in tasks:
                yield f"selection.tasks: no such task: {name}{faults.near(name, tasks)}"
    for section in ("student", "refinement"):
        weights = _mapping(values, section, "sampling", "weights")
        lacking = [name for name in tasks if name not in weights]
        if weights and lacking:
            yield f"{section}.sampling.weights: no weight for {', '.join(map(str, lacking))}"


def _unknown_task(where: str, name: Any, tasks: Values) -> str:
    return (
        f"{where}.{name}: no such task under `tasks`; add it there, or take it out "
        f"here (dvc exp run -S '~{where}.{name}'){faults.near(name, tasks)}"
    )


def _transfer(values: Values) -> Iterator[str]:
    taught = _mapping(values, "teachers", "tasks")
    for name, transfer in _mapping(values, "transfer").items():
        if name not in taught:
            yield f"transfer.{name}: {name} has no teachers; add it under teachers.tasks"
        source = transfer.get("source") if isinstance(transfer, Mapping) else None
        if source == "rest" and _cap(values, name) is None:
            yield (
                f"transfer.{name}: tasks.{name}.rows.train is null, so no train row is left over "
                f"for source rest; set a row cap"
            )


def _folds(values: Values) -> Iterator[str]:
    folds = len(_list(values, "teachers", "folds"))
    for name in _mapping(values, "teachers", "tasks"):
        cap = _cap(values, name)
        if cap is not None and folds > cap > 0:
            yield (
                f"teachers.folds: {folds} folds are more than the {cap} train rows of {name} "
                f"(tasks.{name}.rows.train)"
            )


def _heads(values: Values) -> Iterator[str]:
    """Heads that do not fit their tasks."""
    sections = (
        ["student", "refinement"] if _mapping(values, "refinement", "candidates") else ["student"]
    )
    for section in sections:
        named = _mapping(values, section, "heads")
        for task in values["tasks"]:
            where = f"{section}.heads.{task}" if task in named else f"{section}.head"
            yield from _head(
                values, task, named.get(task, _mapping(values, section, "head")), where
            )
    for task, own in _mapping(values, "teachers", "tasks").items():
        head = _mapping(own, "head")
        where = f"teachers.tasks.{task}.head" if head else "teachers.head"
        yield from _head(values, task, head or _mapping(values, "teachers", "head"), where)


def _head(values: Values, task: Any, head: Any, where: str) -> Iterator[str]:
    kind = head.get("kind") if isinstance(head, Mapping) else None
    if isinstance(task, str) and (lack := _lack(kind, *_shape(values, task))):
        yield f"{where}: head {kind} does not fit {task}, which {lack}"


def _lack(kind: Any, texts: int, classes: int) -> str:
    """What a task lacks for a kind of head; "" if nothing, or if it is not known."""
    if kind not in ("san", "ranking") or not texts:
        return ""
    if texts == 1:
        return "has one text a row, not two"
    if classes == 0:
        return "has scores, not classes"
    if kind == "ranking" and classes != 2:
        return f"has {classes} classes, not two"
    return ""


def _shape(values: Values, task: str) -> tuple[int, int]:
    """Texts a row and number of classes (0 for scores); (0, 0) if the task is not known."""
    if task in GLUE:
        return 1 + GLUE[task].pair, len(GLUE[task].labels)
    custom = _mapping(values, "tasks", task, "custom")
    labels = custom.get("labels")
    if not isinstance(labels, list):
        return 0, 0
    return 1 + (custom.get("sentence2") is not None), len(labels)


def _named_members(values: Values) -> Iterator[str]:
    members = _mapping(values, "teachers", "members")
    for name in _list(values, "ensemble", "members"):
        if name not in members:
            yield f"ensemble.members: no such member: {name} ({_there(members)})"
    internals = _mapping(values, "distillation", "internals")
    if "member" in internals and internals["member"] not in members:
        name = internals["member"]
        yield f"distillation.internals.member: no such member: {name} ({_there(members)})"


def _there(names: Values) -> str:
    return f"there are {', '.join(map(str, names))}"


def _candidates(values: Values) -> Iterator[str]:
    count = len(_mapping(values, "refinement", "candidates"))
    top = _mapping(values, "selection").get("top")
    if not isinstance(top, int):
        return
    if 0 < count < top:
        yield f"selection.top: {top} of only {count} candidates (refinement.candidates)"
    for name, member in _mapping(values, "teachers", "members").items():
        rank = member.get("refined") if isinstance(member, Mapping) else None
        where = f"teachers.members.{name}.refined"
        if isinstance(rank, int) and not count:
            yield f"{where}: there is nothing under refinement.candidates to start from"
        elif isinstance(rank, int) and rank > top:
            yield f"{where}: rank {rank}, but selection.top keeps {top}"
        elif isinstance(rank, int) and _poolings(values, "teachers") - _poolings(values):
            yield (
                f"{where}: teachers pool by the encoder's pooler, but no head under refinement "
                f"does, so the candidate keeps none; set refinement.head.pooling to pooler"
            )


def _poolings(values: Values, section: str = "refinement") -> set[str]:
    """{"pooler"} if a head of the section pools by the encoder's own pooler, else nothing."""
    own = _mapping(values, "teachers", "tasks") if section == "teachers" else {}
    heads = [
        _mapping(values, section, "head"),
        *_mapping(values, section, "heads").values(),
        *(_mapping(task, "head") for task in own.values()),
    ]
    return {"pooler"} & {_mapping(head).get("pooling") for head in heads}


def _calibration(values: Values) -> Iterator[str]:
    held_out = _mapping(values, "ensemble").get("calibration") == "held_out"
    if held_out and _list(values, "teachers", "folds") == ["all"]:
        yield (
            "ensemble.calibration: held_out needs folds, or no train row is unseen; "
            "dvc exp run -S 'teachers.folds=[1,2,3]'"
        )


def _rows_seen_before(values: Values) -> Iterator[str]:
    """Rows held out of a training whose start has been trained on them are not unseen."""
    teachers = _mapping(values, "teachers")
    refined = [
        name
        for name, member in _mapping(teachers, "members").items()
        if _mapping(member).get("refined") is not None
    ]
    seen = "starts from a candidate that was trained on all train rows"
    for name in refined:
        if _list(teachers, "folds") not in ([], ["all"]):
            where = f"teachers.members.{name}.refined"
            yield f"{where}: it {seen}, so no fold is unseen; set folds to [all]"
    for where in _stopping(values, "teachers", "tasks", "members") if refined else ():
        yield f"{where}: member {refined[0]} {seen}, so rows held out tell nothing; set it to null"
    if _mapping(values, "tuning", "tasks"):
        for where in _stopping(values, "tuning", "tasks"):
            yield f"{where}: the student was trained on these rows; set it to null"


def _stopping(values: Values, section: str, *inside: str) -> Iterator[str]:
    """Where a section asks for early stopping."""
    own = _mapping(values, section)
    if own.get("early_stopping") is not None:
        yield f"{section}.early_stopping"
    for key in inside:
        for name, one in _mapping(own, key).items():
            if _mapping(one).get("early_stopping") is not None:
                yield f"{section}.{key}.{name}.early_stopping"


def _cap(values: Values, task: Any) -> int | None:
    cap = _mapping(values, "tasks", task, "rows").get("train")
    return cap if isinstance(cap, int) else None


def _mapping(values: Any, *keys: Any) -> Mapping[Any, Any]:
    """The mapping at a path, empty if something else is there."""
    for key in keys:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values if isinstance(values, Mapping) else {}


def _list(values: Any, *keys: Any) -> list[Any]:
    """The list at a path, empty if something else is there."""
    found = _mapping(values, *keys[:-1]).get(keys[-1])
    return found if isinstance(found, list) else []
