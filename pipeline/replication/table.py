"""One table of all settings: student minus baseline over seeds, by task and for the two means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.evaluation.report.markdown_table import markdown
from pipeline.evaluation.systems import BASELINE, STUDENT
from pipeline.tasks import GLUE

TAUGHT, ALL = "Tasks with teachers", "GLUE score"
CAPTION = (
    "Percent on dev rows; differences in points; means over seeds. *sd*: standard deviation over "
    "seeds. *t*: Student's 95 % interval over seeds, on these very rows. *bootstrap*: 95 % "
    "interval over resampled seeds and rows. The baseline of each run is the one that counts there."
)
_NONE = "-"
_OTHER = ["against", "difference", "its t", "its bootstrap"]

Figures = Mapping[str, Any]  # of one setting, as figures.gather gives them


def rows(settings: Mapping[str, Figures]) -> pd.DataFrame:
    """The table as text: settings next to each other on each task, then on the two means.

    Args:
        settings: figures by name of setting, in the order wanted.
    """
    kinds = list(dict.fromkeys(kind for one in settings.values() for kind in _kinds(one)))
    kinds.sort(key=_place)
    table = [
        _row(kind, name, figures)
        for kind in kinds
        for name, figures in settings.items()
        if kind in _kinds(figures)
    ]
    whole = pd.DataFrame(table)
    compared = any("against" in one for one in settings.values())
    return whole if compared else whole.drop(columns=_OTHER)


def text(settings: Mapping[str, Figures], left_out: Sequence[str] = ()) -> str:
    """The table as Markdown, with its caption, what was run, and what is not finished.

    Args:
        settings: as `rows` takes them, each with the `commits` that its experiments were run at.
        left_out: names of the experiments that are not finished.
    """
    changes = [
        f"- `{name}`, seeds {', '.join(map(str, figures['seeds']))}, "
        f"run at {', '.join(figures['commits'])}: "
        + (", ".join(f"`{change}`" for change in figures["changes"]) or "params.yaml as it is")
        for name, figures in settings.items()
    ]
    parts = [markdown(rows(settings)), CAPTION, "\n".join(changes)]
    if left_out:
        parts.append(f"Not finished with these parameters: {', '.join(left_out)}.")
    return "\n\n".join(parts)


def _place(kind: str) -> int:
    """Tasks stay in their order; the means stand last."""
    return (TAUGHT, ALL).index(kind) + 1 if kind in (TAUGHT, ALL) else 0


def _kinds(figures: Figures) -> list[str]:
    means = {TAUGHT: figures["difference_taught"], ALL: figures["difference_glue"]}
    return [*figures["difference"], *(name for name, one in means.items() if one)]


def _row(kind: str, name: str, figures: Figures) -> dict[str, str]:
    own = _difference(kind, figures)
    against = figures.get("against")
    other = _difference(kind, against) if against else None
    return {
        "Task": GLUE[kind].title if kind in GLUE else kind,
        "Setting": name,
        "Seeds": str(len(figures["seeds"])),
        "Baseline": _score(kind, figures, BASELINE),
        "Student": _score(kind, figures, STUDENT),
        "- baseline": f"{_rounded(own['mean']):+.1f}",
        "sd": _NONE if own["deviation"] is None else f"{own['deviation']:.1f}",
        "t": _range(own["seeds_only"]),
        "bootstrap": _range((own["low"], own["high"])),
        "against": against["setting"] if against else _NONE,
        "difference": f"{_rounded(other['mean']):+.1f}" if other else _NONE,
        "its t": _range(other["seeds_only"] if other else None),
        "its bootstrap": _range((other["low"], other["high"]) if other else None),
    }


def _difference(kind: str, figures: Figures) -> Any:
    means = {TAUGHT: "difference_taught", ALL: "difference_glue"}
    return figures[means[kind]] if kind in means else figures["difference"].get(kind)


def _score(kind: str, figures: Figures, system: str) -> str:
    """Mean over seeds of a task's scores, or of the means over some tasks."""
    scores = pd.DataFrame(
        {task: pd.Series(runs) for task, runs in figures["scores"][system].items()}
    )
    tasks = {
        TAUGHT: list(figures["teachers"]),
        ALL: [task for task in figures["difference"] if task in GLUE],
    }.get(kind, [kind])
    return f"{scores[tasks].mean(axis=1).mean():.1f}"


def _range(ends: Sequence[float] | None) -> str:
    return _NONE if ends is None else " to ".join(f"{_rounded(end):.1f}" for end in ends)


def _rounded(points: float) -> float:
    return round(points, 1) + 0.0  # no -0.0
