"""The figures of docs/evidence.json as the tables of docs/evidence.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from experiments import collect
from experiments import settings as grid
from pipeline.evaluation import significance, summary
from pipeline.evaluation.report import page_blocks
from pipeline.evaluation.systems import BASELINE, ENSEMBLE, STUDENT
from pipeline.tasks import GLUE

PAGE = Path("docs/evidence.md")
BEGIN, END = "<!-- evidence:begin -->", "<!-- evidence:end -->"
MAIN = "main"
"""The group whose settings have a table each."""

Figures = Mapping[str, Any]  # of one setting, as gathering writes them


def write(found: Mapping[str, Figures], page: Path = PAGE) -> None:
    """Put the tables between the page's markers.

    Raises:
        DataError: the page has no markers.
    """
    page_blocks.fill(page, BEGIN, END, tables(found))


def tables(found: Mapping[str, Figures]) -> str:
    """The figures as Markdown, group by group, in the order of the grid."""
    order = [setting.name for setting in grid.SETTINGS if setting.name in found]
    settings = {name: found[name] for name in (*order, *found)}  # JSON has them sorted by name
    groups = dict.fromkeys(one["group"] for one in settings.values())
    return "\n\n".join(
        part
        for group in groups
        for part in _group(group, {k: v for k, v in settings.items() if v["group"] == group})
    )


def _group(name: str, settings: Mapping[str, Figures]) -> Iterator[str]:
    yield f"### Group *{name}*"
    if name == MAIN:
        for setting, one in settings.items():
            yield _summary(setting, one)
            yield _by_task(one)
    else:
        yield _beside(settings)
        yield "Student - baseline, points, by task:"
        yield _differences(settings)


def _summary(name: str, one: Figures) -> str:
    """What a setting comes to: on how many tasks it is above, by how much, what it keeps."""
    above = sum(_above(task["mean"]) for task in one["difference"].values())
    wins = ", ".join(str(sum(run)) for run in zip(*_wins(one), strict=True))
    taught = one["difference_taught"]
    by_t = "; over seeds alone, by t: " + _by_t(taught) if taught["seeds_only"] else ""
    return (
        f"**{one['title'].capitalize()}** (`{name}`, seeds {', '.join(map(str, one['seeds']))}): "
        f"above its baseline on {above} of {len(one['difference'])} tasks on the mean, by seed on "
        f"{wins}; on the tasks with teachers {_span(taught)} points{by_t}; {_kept(one)}."
    )


def _wins(one: Figures) -> Iterator[list[bool]]:
    """Whether the student is above its baseline: a list a task, one a seed."""
    for task, scores in one["scores"][STUDENT].items():
        baseline = one["scores"][BASELINE][task]
        yield [_above(own, other) for own, other in zip(scores, baseline, strict=True)]


def _above(own: float, other: float = 0.0) -> bool:
    """Whether a score, in percent, is above another by more than the reports call level."""
    return summary.points(own / 100, other / 100) > 0


def _kept(one: Figures) -> str:
    if one["kept"] is None:
        return "the ensembles have no lead over the baseline"
    means = (_over_tasks(one, system) for system in (STUDENT, BASELINE, ENSEMBLE))
    shares = [collect.share_kept(*scores) for scores in zip(*means, strict=True)]
    by_seed = ", ".join("-" if share is None else f"{100 * share:.0f} %" for share in shares)
    return f"{100 * one['kept']:.0f} % of the ensembles' lead kept, by seed {by_seed}"


def _by_task(one: Figures) -> str:
    head = ("Task", "Single teachers", "Ensemble", "Baseline", "Student", "Difference (95 %)")
    lines = [
        [
            _title(task),
            _single(one["teachers"].get(task)),
            _whole(one["scores"][ENSEMBLE].get(task)),
            *(_mean(one["scores"][system][task]) for system in (BASELINE, STUDENT)),
            _span(difference),
        ]
        for task, difference in one["difference"].items()
    ]
    systems = (_mean(_over_tasks(one, system)) for system in (BASELINE, STUDENT))
    taught = fmean(_over_tasks(one, ENSEMBLE))
    single = fmean(fmean(own.values()) for own in one["teachers"].values())
    last = ["Tasks with teachers", f"{single:.1f}", f"{taught:.1f}", *systems]
    return _markdown(head, [*lines, [*last, _span(one["difference_taught"])]])


def _beside(settings: Mapping[str, Figures]) -> str:
    """Means over the tasks with teachers, and the difference to the setting compared with."""
    head = (
        "Setting",
        "Seeds",
        "Ensemble",
        "Baseline",
        "Student",
        "- baseline (95 %)",
        "t over seeds",
        "compared with",
        "difference (95 %)",
        "t over seeds",
    )
    lines = []
    for name, one in settings.items():
        means = (_mean(_over_tasks(one, system)) for system in (ENSEMBLE, BASELINE, STUDENT))
        other = one.get("against")
        against = [f"`{other['setting']}`", *_spans(other)] if other else ["-", "-", "-"]
        title = f"{one['title']} (`{name}`)"
        count = str(len(one["seeds"]))
        lines.append([title, count, *means, *_spans(one["difference_taught"]), *against])
    return _markdown(head, lines)


def _differences(settings: Mapping[str, Figures]) -> str:
    tasks = list(next(iter(settings.values()))["difference"])
    lines = [
        [f"`{name}`", *(_span(one["difference"][task]) for task in tasks)]
        for name, one in settings.items()
    ]
    return _markdown(("Setting", *map(_title, tasks)), lines)


def _markdown(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table whose columns but the first are aligned to the right."""
    whole = [head, ["---", *["---:"] * (len(head) - 1)], *lines]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in whole)


def _title(task: str) -> str:
    return GLUE[task].title if task in GLUE else task


def _single(teachers: Mapping[str, float] | None) -> str:
    return "-" if teachers is None else f"{fmean(teachers.values()):.1f}"


def _whole(ensemble: Sequence[float] | None) -> str:
    """An ensemble's score; it is the same with every seed of the student."""
    return "-" if ensemble is None else f"{fmean(ensemble):.1f}"


def _over_tasks(one: Figures, system: str) -> list[float]:
    """Mean over the tasks with teachers, one a seed."""
    taught = one["scores"][ENSEMBLE]
    return [
        fmean(run) for run in zip(*(one["scores"][system][task] for task in taught), strict=True)
    ]


def _mean(values: Sequence[float]) -> str:
    found = significance.over_seeds(values)
    # By the values: of equal ones the mean, and so the deviation, may be off by a rounding.
    spread = f" ± {found.deviation:.1f}" if len(set(values)) > 1 else ""
    return f"{found.mean:.1f}{spread}"


def _spans(one: Figures) -> tuple[str, str]:
    """A difference with its interval over seeds and rows, and the interval over seeds alone."""
    return _span(one), _by_t(one)


def _span(one: Figures) -> str:
    return f"{_rounded(one['mean']):+.1f} ({_range(one['low'], one['high'])})"


def _by_t(one: Figures) -> str:
    """Student's t interval over seeds; a single seed has none."""
    return _range(*one["seeds_only"]) if one["seeds_only"] else "-"


def _range(low: float, high: float) -> str:
    return f"{_rounded(low):.1f} to {_rounded(high):.1f}"


def _rounded(points: float) -> float:
    return round(points, 1) + 0.0  # no -0.0
