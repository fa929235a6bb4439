"""Check folds and calibration: both need models that were trained without some train rows."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.params.checks import heads
from pipeline.params.checks.raw_values import Values, cap, listed, mapping, refined, run

_WHOLE = ["all"]


def find(values: Values) -> Iterator[str]:
    """One line for each setting of folds or calibration that lacks rows unseen in training."""
    folds = listed(values, "teachers", "folds")
    yield from _few_rows(values, len(folds))
    if folds not in ([], _WHOLE) and refined(values):
        yield _none_unseen(values)
    if _calibrated(values):
        yield from _calibration(values)


def _few_rows(values: Values, folds: int) -> Iterator[str]:
    for name in mapping(values, "teachers", "tasks"):
        rows = cap(values, name)
        if rows is not None and folds > rows > 0:
            yield (
                f"teachers.folds: {folds} folds are more than the {rows} train rows of {name} "
                f"(tasks.{name}.rows.train); {run(*_folds(values, folds))}"
            )


def _none_unseen(values: Values) -> str:
    members = refined(values)
    verb = "starts" if len(members) == 1 else "start"
    ways = run(*_folds(values, 1)), run(*_unrefined(values))
    return (
        f"teachers.folds: {', '.join(members)} {verb} from a candidate that was trained on all "
        f"train rows, so no fold is unseen; {', or '.join(ways)}"
    )


def _calibration(values: Values) -> Iterator[str]:
    """Reasons against calibration on held-out rows."""
    taught = mapping(values, "teachers", "tasks")
    if taught and all(_scored(values, task) for task in taught):
        yield (
            f"ensemble.calibration: held_out fits temperatures to classes, but {', '.join(taught)} "
            f"has scores, and no other task has teachers; {run('ensemble.calibration=none')}"
        )
    elif listed(values, "teachers", "folds") == _WHOLE:
        started = ", and no member that starts `refined`" if refined(values) else ""
        ways = [run("ensemble.calibration=none")]
        if len(folds := _folds(values, 3)) == 1:  # else there are too few rows for folds
            ways.insert(0, run(*folds, *_unrefined(values)))
        yield (
            f"ensemble.calibration: held_out needs folds{started}, or no train row is unseen; "
            f"{', or '.join(ways)}"
        )


def _scored(values: Values, task: str) -> bool:
    texts, classes = heads.shape(values, task)
    return texts > 0 and classes == 0


def _folds(values: Values, wanted: int) -> list[str]:
    """Overrides that set the wanted number of folds, or the most that all tasks have rows for."""
    caps = [cap(values, name) for name in mapping(values, "teachers", "tasks")]
    count = min([wanted, *(rows for rows in caps if rows is not None)])
    if count > 1:
        return [f"teachers.folds=[{','.join(map(str, range(1, count + 1)))}]"]
    return ["teachers.folds=[all]", *["ensemble.calibration=none"] * _calibrated(values)]


def _unrefined(values: Values) -> list[str]:
    return [f"~teachers.members.{name}.refined" for name in refined(values)]


def _calibrated(values: Values) -> bool:
    return mapping(values, "ensemble").get("calibration") == "held_out"
