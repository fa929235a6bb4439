"""Lay the results out for a terminal of 80 columns."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.evaluation.report import cost
from pipeline.evaluation.systems import BASELINE, ENSEMBLE, STUDENT
from pipeline.tasks import GLUE

WIDTH = 80
_TITLE = 17  # characters of a task's title: what the other columns leave
_TEACHERS, _DIFFERENCE = "teachers", "student_minus_baseline"
_COLUMNS = {
    _TEACHERS: "Teachers",
    ENSEMBLE: "Ensemble",
    BASELINE: "Baseline",
    STUDENT: "Student",
    _DIFFERENCE: "Student - baseline",
}
_NONE = "-"


def page(metrics: Mapping[str, Any], report: str) -> str:
    """Headline and warnings, tables of scores and of costs, the notes, at most `WIDTH` wide.

    Args:
        metrics: metrics.json.
        report: results.md.
    """
    first, *_, notes = report.strip().split("\n\n")
    headline, *warnings = first.splitlines()
    caption = "Task scores in percent, on dev rows; in brackets: 95 % interval."
    parts = [
        _wrapped(headline.strip("*")),
        *(["\n".join(map(_bullet, warnings))] if warnings else []),
        table(metrics),
        caption,
        *([_cost(metrics["cost"])] if "cost" in metrics else []),  # none before 0.2.0
        "\n".join(map(_bullet, notes.splitlines())),
    ]
    return "\n\n".join(parts)


def _cost(figures: Mapping[str, Any]) -> str:
    return f"{cost.frame(figures).to_string()}\n\n{_wrapped(cost.CAPTION)}"


def _bullet(line: str) -> str:
    return _wrapped(f"- {line.removeprefix('- ').replace('**', '')}")


def table(metrics: Mapping[str, Any]) -> str:
    """Task scores by task, the GLUE score and the mean over tasks with teachers."""
    lines = [(_title(name), _task_scores(metrics["tasks"][name])) for name in _ordered(metrics)]
    if _DIFFERENCE in metrics["glue"]:
        lines.append(("GLUE score", metrics["glue"]))
    if taught := metrics.get("teacher_tasks"):
        lines.append((f"With teachers ({len(taught['tasks'])})", taught))
    titles, figures = zip(*lines, strict=True)
    frame = pd.DataFrame(figures, index=titles, columns=list(_COLUMNS))
    scores = frame.drop(columns=_DIFFERENCE).astype("float64").map(_score)
    cells = scores.assign(**{_DIFFERENCE: frame[_DIFFERENCE].map(_interval)})
    return cells.rename(columns=_COLUMNS).to_string()


def _ordered(metrics: Mapping[str, Any]) -> list[str]:
    """GLUE's tasks in its order, then custom tasks; the file has them by name."""
    known = [name for name in GLUE if name in metrics["tasks"]]
    return [*known, *(name for name in metrics["tasks"] if name not in GLUE)]


def _title(name: str) -> str:
    return GLUE[name].title if name in GLUE else name[:_TITLE]


def _task_scores(figures: Mapping[str, Any]) -> dict[str, Any]:
    """One score of each system; for several teachers their mean."""
    own = {
        name: figures[name]["score"] for name in (ENSEMBLE, BASELINE, STUDENT) if name in figures
    }
    teachers = pd.DataFrame(figures.get(_TEACHERS, {}))
    if not teachers.empty:
        own[_TEACHERS] = teachers.loc["score"].mean()
    return {**own, _DIFFERENCE: figures[_DIFFERENCE]}


def _score(percent: float) -> str:
    return _NONE if math.isnan(percent) else f"{percent:.1f}"


def _interval(gap: Mapping[str, float]) -> str:
    score, low, high = (round(gap[end], 1) + 0.0 for end in ("score", "low", "high"))
    signed = f"{score:+.1f}" if score else "0.0"
    return f"{signed} ({low:.1f} to {high:.1f})"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent="  " if text.startswith("- ") else "")
