"""The figures of docs/evidence.json as the tables of docs/evidence.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from experiments import settings as grid
from pipeline.evaluation import summary
from pipeline.evaluation.report import page_blocks
from pipeline.evaluation.report.markdown_table import markdown
from pipeline.evaluation.systems import BASELINE, BASELINES, ENSEMBLE, MULTITASK, STUDENT
from pipeline.replication.figures import share_kept
from pipeline.tasks import GLUE

PAGE = Path("docs/evidence.md")
BEGIN, END = "<!-- evidence:begin -->", "<!-- evidence:end -->"
MAIN = "main"
"""The group whose settings have a table each."""

Figures = Mapping[str, Any]  # of one setting, as gathering writes them


def write(figures: Mapping[str, Figures], page: Path = PAGE) -> None:
    """Put the tables between the page's markers.

    Raises:
        DataError: the page has no markers.
    """
    page_blocks.fill(page, BEGIN, END, tables(figures))


def tables(figures: Mapping[str, Figures]) -> str:
    """The figures as Markdown, group by group, in the order of the grid."""
    order = [setting.name for setting in grid.SETTINGS if setting.name in figures]
    settings = {name: figures[name] for name in (*order, *figures)}  # JSON has them sorted by name
    groups = dict.fromkeys(one["group"] for one in settings.values())
    return "\n\n".join(
        part
        for group in groups
        for part in _group(group, {k: v for k, v in settings.items() if v["group"] == group})
    )


def _group(name: str, settings: Mapping[str, Figures]) -> Iterator[str]:
    yield f"### Group *{name}*"
    if name == MAIN:
        for setting, figures in settings.items():
            yield _summary(setting, figures)
            yield markdown(_by_task(figures))
    else:
        yield markdown(_side_by_side(settings))
        yield "Student - baseline, points, by task:"
        yield markdown(_differences(settings))


def _scores(figures: Figures) -> dict[str, pd.DataFrame]:
    """Scores in percent of each system: one row per seed, one column per task with a score."""
    systems = figures["scores"]
    return {name: pd.DataFrame(systems[name], index=figures["seeds"]) for name in systems}


def _over_tasks(figures: Figures) -> pd.DataFrame:
    """Means over the tasks with teachers: one row per seed, one column per system."""
    scores = _scores(figures)
    taught = scores[ENSEMBLE].columns
    return pd.DataFrame({name: scores[name][taught].mean(axis=1) for name in scores})


def _summary(name: str, figures: Figures) -> str:
    """The summary of a setting: tasks above the baseline, the difference, the gain kept."""
    above = sum(_above(task["mean"]) for task in figures["difference"].values())
    scores = _scores(figures)
    by_seed = (scores[STUDENT] - scores[BASELINE]).map(_above).sum(axis=1)
    wins = ", ".join(map(str, by_seed))
    taught = figures["difference_taught"]
    by_t = "; over seeds alone, by t: " + _by_t(taught) if taught["seeds_only"] else ""
    seeds = ", ".join(map(str, figures["seeds"]))
    return (
        f"**{figures['title'].capitalize()}** (`{name}`, seeds {seeds}): "
        f"above its baseline on {above} of {len(figures['difference'])} tasks on the mean, by seed "
        f"on {wins}; on the tasks with teachers {_span(taught)} points{by_t}; {_kept(figures)}."
    )


def _above(points: float) -> bool:
    """Whether a difference is above zero by more than the reports' threshold."""
    return summary.points(points / 100, 0.0) > 0


def _kept(figures: Figures) -> str:
    if figures["kept"] is None:
        return "the ensembles have no lead over the baseline"
    means = _over_tasks(figures)
    shares = map(share_kept, means[STUDENT], means[BASELINE], means[ENSEMBLE])
    by_seed = ", ".join("-" if share is None else f"{100 * share:.0f} %" for share in shares)
    return f"{100 * figures['kept']:.0f} % of the ensembles' lead kept, by seed {by_seed}"


def _by_task(figures: Figures) -> pd.DataFrame:
    """One row per task, and one of the means over the tasks with teachers."""
    single = pd.DataFrame(figures["teachers"]).mean()
    last = "Tasks with teachers"
    means = _over_tasks(figures)
    scores = {name: own.assign(**{last: means[name]}) for name, own in _scores(figures).items()}
    table = pd.DataFrame(
        {
            "Single teachers": pd.concat([single, pd.Series({last: single.mean()})]).map(_score),
            "Ensemble": scores[ENSEMBLE].mean().map(_score),
            **_others(scores),
            "Baseline": scores[BASELINE].apply(_mean),
            "Student": scores[STUDENT].apply(_mean),
            "Difference (95 %)": pd.Series(
                {**figures["difference"], last: figures["difference_taught"]}
            ).map(_span),
        }
    )
    table = table.reindex([*figures["difference"], last]).fillna("-")
    return table.rename(_title).rename_axis("Task").reset_index()


def _others(scores: Mapping[str, pd.DataFrame]) -> dict[str, pd.Series[str]]:
    """Columns of the best candidate and of each baseline, for settings that have both baselines."""
    shown = [MULTITASK] * (MULTITASK in scores)
    shown += [name for name in BASELINES if {*BASELINES} <= {*scores}]
    titles = {name: name.replace("_", ", ").capitalize() for name in shown}
    return {titles[name]: scores[name].apply(_mean) for name in shown}


def _side_by_side(settings: Mapping[str, Figures]) -> pd.DataFrame:
    """Means over the tasks with teachers, and the difference to the setting compared with."""
    own = pd.DataFrame([_against_baseline(*setting) for setting in settings.items()])
    others = pd.DataFrame([_against_setting(figures) for figures in settings.values()])
    return pd.concat([own, others], axis=1)


def _against_baseline(name: str, figures: Figures) -> dict[str, str]:
    means = _over_tasks(figures)
    return {
        "Setting": f"{figures['title']} (`{name}`)",
        "Seeds": str(len(means)),
        **{system.capitalize(): _mean(means[system]) for system in (ENSEMBLE, BASELINE, STUDENT)},
        "- baseline (95 %)": _span(figures["difference_taught"]),
        "t over seeds": _by_t(figures["difference_taught"]),
    }


def _against_setting(figures: Figures) -> dict[str, str]:
    other = figures.get("against")
    return {
        "compared with": f"`{other['setting']}`" if other else "-",
        "difference (95 %)": _span(other) if other else "-",
        "t over seeds": _by_t(other) if other else "-",
    }


def _differences(settings: Mapping[str, Figures]) -> pd.DataFrame:
    """One row per setting, one column per task."""
    rows = {f"`{name}`": figures["difference"] for name, figures in settings.items()}
    table = pd.DataFrame(rows).map(_span).T
    return table.rename(columns=_title).rename_axis("Setting").reset_index()


def _title(task: str) -> str:
    return GLUE[task].title if task in GLUE else task


def _score(value: float) -> str:
    return "-" if pd.isna(value) else f"{value:.1f}"


def _mean(values: pd.Series[float]) -> str:
    """Mean over seeds, and the standard deviation where they differ."""
    # By the values: of equal ones the mean, and so the deviation, may be off by a rounding.
    spread = f" ± {values.std():.1f}" if values.nunique() > 1 else ""
    return f"{values.mean():.1f}{spread}"


def _span(difference: Figures) -> str:
    """A difference with its interval over seeds and rows."""
    interval = _range(difference["low"], difference["high"])
    return f"{_rounded(difference['mean']):+.1f} ({interval})"


def _by_t(difference: Figures) -> str:
    """Student's t interval over seeds; a single seed has none."""
    return _range(*difference["seeds_only"]) if difference["seeds_only"] else "-"


def _range(low: float, high: float) -> str:
    return f"{_rounded(low):.1f} to {_rounded(high):.1f}"


def _rounded(points: float) -> float:
    return round(points, 1) + 0.0  # no -0.0
