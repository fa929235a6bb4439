"""The README's table and picture: one setting of docs/evidence.json, task by task."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.evaluation.systems import BASELINE, ENSEMBLE, STUDENT
from pipeline.tasks import GLUE

BEGIN, END = "<!-- gain:begin -->", "<!-- gain:end -->"
PICTURE = Path("docs/images/gain.svg")
TAUGHT = "Tasks with teachers"
_TEACHER = "teacher"
_COLUMNS = {_TEACHER: "Single teachers", ENSEMBLE: "Ensemble", BASELINE: "Baseline"}


def frame(setting: Mapping[str, Any]) -> pd.DataFrame:
    """Mean scores over seeds and the difference with its interval, percent, one row per task.

    Args:
        setting: one setting of docs/evidence.json.

    Returns:
        Columns task, teacher, ensemble, baseline, student, mean, low, high; the last row is the
        mean over the tasks with teachers.
    """
    scores = pd.DataFrame(
        {
            system: {task: pd.Series(runs).mean() for task, runs in tasks.items()}
            for system, tasks in setting["scores"].items()
        }
    )
    scores[_TEACHER] = pd.DataFrame(setting["teachers"]).mean()
    difference = pd.DataFrame(setting["difference"]).T[["mean", "low", "high"]].astype(float)
    tasks = scores.join(difference).reindex([task for task in GLUE if task in scores.index])
    taught = tasks.dropna(subset=[ENSEMBLE]).mean().to_frame(TAUGHT).T
    overall = {key: setting["difference_taught"][key] for key in ("mean", "low", "high")}
    taught = taught.assign(**overall)
    named = pd.concat([tasks.rename(index=lambda name: GLUE[name].title), taught])
    return named.rename_axis("task").reset_index()


def table(setting: Mapping[str, Any]) -> str:
    """The frame as Markdown of at most ten rows."""
    rows = frame(setting)
    shown = pd.DataFrame({"Task": rows["task"]})
    for column, title in {**_COLUMNS, STUDENT: "Student"}.items():
        shown[title] = rows[column].map(lambda score: "-" if pd.isna(score) else f"{score:.1f}")
    shown["Student - baseline (95 %)"] = [
        f"{row.mean:+.1f} ({row.low:.1f} to {row.high:.1f})"
        for row in (rows[["mean", "low", "high"]].round(1) + 0.0).itertuples(index=False)
    ]
    shown.iloc[-1] = shown.iloc[-1].map("**{}**".format)
    align = ("left", *("right",) * (shown.shape[1] - 1))
    return shown.to_markdown(index=False, colalign=align, disable_numparse=True)


def picture(setting: Mapping[str, Any], path: Path = PICTURE) -> None:
    """Draw the difference of each task with its 95 % interval and write it as SVG."""
    import altair as alt

    rows = frame(setting)
    kind = alt.condition(f"datum.task == '{TAUGHT}'", alt.value("#b3361e"), alt.value("#2c5f8a"))
    order = list(rows["task"])
    y = alt.Y("task:N", sort=order, title=None)
    title = "Student minus baseline, points (95 % interval)"
    bars = (
        alt.Chart(rows)
        .mark_rule(strokeWidth=3)
        .encode(y=y, x=alt.X("low:Q", title=title), x2="high:Q", color=kind)
    )
    dots = (
        alt.Chart(rows)
        .mark_point(filled=True, size=90, opacity=1)
        .encode(y=y, x="mean:Q", color=kind)
    )
    zero = (
        alt.Chart(pd.DataFrame({"x": [0]}))
        .mark_rule(color="#555", strokeDash=[4, 3])
        .encode(x="x:Q")
    )
    chart = (zero + bars + dots).properties(width=560, height=260, background="white")
    path.parent.mkdir(parents=True, exist_ok=True)
    chart.configure_axis(labelFontSize=13, titleFontSize=13).save(path)
