"""The reports: metrics.json, summary.json, scores.csv, results.md, the README's results block."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

from pipeline import artifacts, figures, paths, provenance
from pipeline.errors import DataError
from pipeline.evaluation import BASELINE, ENSEMBLE, MAJORITY, STUDENT, TEACHER, TaskResult

BEGIN, END = "<!-- results:{}:begin -->", "<!-- results:{}:end -->"
SUMMARY = paths.REPORTS / "summary.json"
SCORES = paths.REPORTS / "scores.csv"
RESTORED = (paths.METRICS, paths.RESULTS)
_HEADER = (
    "Task (metric)",
    "Majority",
    "Single teachers",
    "Ensemble",
    "Baseline",
    "Student",
    "Student - baseline",
)
_NONE = "-"
_METRIC_NAMES = {"f1": "F1", "matthews": "Matthews", "pearson": "Pearson", "spearman": "Spearman"}


def write(results: Sequence[TaskResult], missing: Mapping[str, str]) -> None:
    """Write all reports.

    Args:
        results: the evaluated tasks, in the order of the table.
        missing: task -> why it was left out.

    Raises:
        DataError: there is no result.
    """
    if not results:
        raise DataError("no task could be evaluated", mend="check `data` in params.yaml")
    whole = {**figures.nested(results), "gain_note": _kept(results), "missing": dict(missing)}
    artifacts.write_json(paths.METRICS, whole)
    artifacts.write_json(SUMMARY, figures.summary(results))
    _write_scores(results)
    with artifacts.new_file(paths.RESULTS) as draft:
        draft.write_text(markdown(results, missing), encoding="utf-8")


def restore() -> None:
    """Bring reports in line with data/evaluation/, which DVC may have restored without a run."""
    for path in RESTORED:
        kept = paths.EVALUATION / path.name
        if kept.exists() and not (path.exists() and path.read_bytes() == kept.read_bytes()):
            with artifacts.new_file(path) as draft:
                shutil.copyfile(kept, draft)


def markdown(results: Sequence[TaskResult], missing: Mapping[str, str]) -> str:
    """The whole report: headline, table, what it comes to, where the figures come from."""
    left_out = [f"{provenance.title(name)} is left out: {why}." for name, why in missing.items()]
    bullets = [*_findings(results), *left_out, *provenance.notes(results)]
    parts = [
        f"**{provenance.headline(results, missing)}**",
        _table(results),
        "Percent, on dev rows. Single teachers: mean, and in brackets the lowest and highest task "
        "score; where a cell has two figures the difference is that of their mean.",
        "\n".join(f"- {bullet}" for bullet in bullets),
    ]
    return "\n\n".join(parts) + "\n"


def update_readme(block: str, readme: Path = paths.README) -> bool:
    """Put a report between the README's markers for results of its kind, if it has them.

    Results of generated sentences and of real data have a block each, `sample` and `glue`, so
    that neither is taken for the other.

    Returns:
        Whether the file was changed.
    """
    if not readme.exists():
        return False
    kind = "sample" if provenance.SAMPLE_HEADLINE in block else "glue"
    first, last = BEGIN.format(kind), END.format(kind)
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(first)
    _, end, after = rest.partition(last)
    new = f"{before}{first}\n\n{block.strip()}\n\n{last}{after}"
    if not begin or not end or new == text:
        return False
    with artifacts.new_file(readme) as draft:
        draft.write_text(new, encoding="utf-8")
    return True


def _write_scores(results: Sequence[TaskResult]) -> None:
    with artifacts.new_file(SCORES) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("task", "system", "metric", "value"))
        writer.writerows(figures.long(results))


def _table(results: Sequence[TaskResult]) -> str:
    lines = [_HEADER, ("---", *["---:"] * (len(_HEADER) - 1)), *map(_task_line, results)]
    lines += [*_glue_line(results), *_taught_line(results), _size_line(results)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _task_line(result: TaskResult) -> tuple[str, ...]:
    return (
        f"{result.task.title} ({_metric_names(result)})",
        _cell(result, MAJORITY),
        _teachers_cell(result),
        _cell(result, ENSEMBLE),
        _cell(result, BASELINE),
        f"**{_cell(result, STUDENT)}**",
        _signed(figures.difference(result)),
    )


def _metric_names(result: TaskResult) -> str:
    """Names of a cell's figures, in their order; the dev splits' names where there are several."""
    names = " / ".join(_METRIC_NAMES.get(name, name) for name in result.task.metrics)
    splits = [split.removeprefix("dev_") for split in result.scores[STUDENT] if split != "dev"]
    return f"{names}; {' / '.join(splits)}" if splits else names


def _cell(result: TaskResult, system: str) -> str:
    if system not in result.scores:
        return _NONE
    return _figures([figures.named(result, system)])


def _figures(systems: Sequence[Mapping[str, float]]) -> str:
    """Each metric's mean over systems, without the task score, which follows from them."""
    names = [name for name in systems[0] if name != "score"]
    return " / ".join(f"{100 * fmean(one[name] for one in systems):.1f}" for name in names)


def _teachers_cell(result: TaskResult) -> str:
    if not result.members:
        return _NONE
    mean = _figures([figures.named(result, f"{TEACHER}{member}") for member in result.members])
    found = figures.teacher_scores(result)
    return f"{mean} ({100 * min(found):.1f} to {100 * max(found):.1f})" if found[1:] else mean


def _glue_line(results: Sequence[TaskResult]) -> list[tuple[str, ...]]:
    scores = figures.glue(results)
    if not scores:
        return []
    shown = {system: f"{100 * value:.1f}" for system, value in scores.items()}
    count = sum(result.task.glue for result in results)
    name = "GLUE score" if count == figures.GLUE_TASKS else f"GLUE score over {count} of 9 tasks"
    gap = _signed(figures.points(scores[STUDENT], scores[BASELINE]))
    student = f"**{shown[STUDENT]}**"
    return [(f"**{name}**", shown[MAJORITY], _NONE, _NONE, shown[BASELINE], student, gap)]


def _taught_line(results: Sequence[TaskResult]) -> list[tuple[str, ...]]:
    found = figures.gain(results)
    if found is None:
        return []
    means = (found.teachers, found.ensemble, found.baseline, found.student)
    teachers, ensemble, baseline, student = (f"{100 * mean:.1f}" for mean in means)
    gap = _signed(figures.points(found.student, found.baseline))
    name = f"Mean over tasks with teachers ({len(found.tasks)})"
    return [(name, _NONE, teachers, ensemble, baseline, f"**{student}**", gap)]


def _size_line(results: Sequence[TaskResult]) -> tuple[str, ...]:
    """Parameters in millions; the teachers' are those of one task."""
    single, whole = [], []
    for result in results:
        sizes = [result.models[f"{TEACHER}{member}"]["parameters"] for member in result.members]
        single += sizes
        whole += [sum(sizes)] if sizes else []
    own = [results[0].models[system]["parameters"] for system in (BASELINE, STUDENT)]
    cells = (_millions(sizes) for sizes in (single, whole, own[:1], own[1:]))
    return ("Parameters, millions", _NONE, *cells, _NONE)


def _millions(sizes: Sequence[int]) -> str:
    shown = dict.fromkeys(f"{size / 1e6:.2f}" for size in sorted(sizes))
    ends = list(shown)[:1] + list(shown)[1:][-1:]
    return " to ".join(ends) or _NONE


def _findings(results: Sequence[TaskResult]) -> list[str]:
    return [
        _against_baseline(results),
        *_against_majority(results),
        _kept(results),
        _noise(results),
    ]


def _against_baseline(results: Sequence[TaskResult]) -> str:
    """Tasks above, level with and below the baseline, in words."""
    gaps = {result.task.title: figures.difference(result) for result in results}
    groups = {
        "above": [title for title, gap in gaps.items() if gap > 0],
        "level with": [title for title, gap in gaps.items() if gap == 0],
        "below": [title for title, gap in gaps.items() if gap < 0],
    }
    count = len(groups["above"])
    named = [f"{word} it on {', '.join(titles)}" for word, titles in groups.items() if titles]
    return f"The student beats the baseline on {count} of {len(gaps)} tasks: {'; '.join(named)}."


def _against_majority(results: Sequence[TaskResult]) -> list[str]:
    poor = [r.task.title for r in results if r.score(STUDENT) <= r.score(MAJORITY)]
    return [f"It is not above the majority class on {', '.join(poor)}."] if poor else []


def _kept(results: Sequence[TaskResult]) -> str:
    found = figures.gain(results)
    if found is None:
        return "No task has teachers, so there is no gain for the student to keep."
    if found.kept is None:
        return (
            "The ensembles are not above the baseline on the mean of the tasks with teachers, so "
            "there is no gain for the student to keep."
        )
    gap = 100 * (found.ensemble - found.baseline)
    share = round(100 * found.kept)  # a whole number has no "-0"
    lost = "; below 0: it is worse than the baseline there" if share < 0 else ""
    return (
        f"The student keeps {share} % of the {gap:.1f} points that the ensembles "
        "gain over the baseline on the mean of the tasks with teachers: "
        f"(student - baseline) / (ensemble - baseline){lost}."
    )


def _noise(results: Sequence[TaskResult]) -> str:
    """One run has no interval; the smallest dev set shows how coarse a difference is."""
    title, rows = min(
        (
            (r.task.title, sum(r.splits[split]["rows"] for split in r.scores[STUDENT]))
            for r in results
        ),
        key=lambda pair: pair[1],
    )
    return (
        f"One run with one seed, so small differences are noise: on {title}, the smallest dev set, "
        f"one row of {rows:,} is {100 / rows:.1f} points."
    )


def _signed(points: float) -> str:
    return f"{points:+.1f}" if points else "0.0"
