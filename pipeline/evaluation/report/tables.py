"""The two tables of the results: scores, and how sure they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from pipeline.evaluation import agreement, significance, summary
from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.report import label_notes
from pipeline.evaluation.significance import Difference
from pipeline.evaluation.systems import BASELINE, ENSEMBLE, MAJORITY, STUDENT, TEACHER, TUNED

SCORES_CAPTION = (
    "Percent, on dev rows. Single teachers: mean, and in brackets the lowest and highest task "
    "score; where a cell has two figures the difference is that of their mean. In brackets behind "
    f"a difference: its {100 * significance.CONFIDENCE:.0f} % interval over "
    f"{significance.RESAMPLES:,} paired bootstrap resamples of the dev rows (percentiles, seed "
    f"{significance.SEED})."
)
CHECKS_CAPTION = (
    "McNemar p: exact two-sided test that student and baseline are right on equally many dev rows; "
    "Holm p: after Holm's correction for all tests of the column. ECE: expected calibration error, "
    "percent, 15 bins. Members agree: percent of dev rows that two members put into the same "
    "class, mean over pairs, with Cohen's kappa; r: Pearson correlation of their scores."
)
_TASK, _MAJORITY, _TEACHERS = "Task (metric)", "Majority", "Single teachers"
_ENSEMBLE, _BASELINE, _STUDENT, _TUNED = "Ensemble", "Baseline", "Student", "Tuned"
_DIFFERENCE = "Student - baseline"
_COLUMNS = (
    _TASK,
    _MAJORITY,
    _TEACHERS,
    _ENSEMBLE,
    _BASELINE,
    _STUDENT,
    _TUNED,
    _DIFFERENCE,
)
_TESTS, _AGREEMENT = ("Task", "McNemar p", "Holm p"), "Members agree"
_CALIBRATED = (ENSEMBLE, BASELINE, STUDENT, TUNED)
_NONE = "-"
_SMALLEST_P = 0.001
_METRIC_NAMES = {"f1": "F1", "matthews": "Matthews", "pearson": "Pearson", "spearman": "Spearman"}


def scores(results: Sequence[TaskResult]) -> str:
    """Every system's scores by task; column `Tuned` only if a task has a tuned student."""
    lines = [_task_line(result) for result in results]
    lines += [*_glue_line(results), *_taught_line(results), _size_line(results)]
    tuned = any(TUNED in result.scores for result in results)
    names = [name for name in _COLUMNS if tuned or name != _TUNED]
    return _markdown(names, [[line.get(name, _NONE) for name in names] for line in lines])


def checks(results: Sequence[TaskResult]) -> str:
    """Tests, calibration and the members' agreement by task."""
    tests = summary.p_values(results)
    systems = [name for name in _CALIBRATED if any(name in r.calibration_errors for r in results)]
    names = [*_TESTS, *(f"ECE {system}" for system in systems), _AGREEMENT]
    lines = [
        [
            result.task.title,
            *(_p(p) for p in tests.get(result.task.name, (None, None))),
            *(_percent(result.calibration_errors.get(system)) for system in systems),
            _agreement_cell(result),
        ]
        for result in results
    ]
    return _markdown(names, lines)


def _markdown(names: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table whose columns but the first are aligned to the right."""
    whole = [names, ["---", *["---:"] * (len(names) - 1)], *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in whole)


def _task_line(result: TaskResult) -> dict[str, str]:
    return {
        _TASK: f"{result.task.title} ({_metric_names(result)})",
        _MAJORITY: _cell(result, MAJORITY),
        _TEACHERS: _teachers_cell(result),
        _ENSEMBLE: _cell(result, ENSEMBLE),
        _BASELINE: _cell(result, BASELINE),
        _STUDENT: f"**{_cell(result, STUDENT)}**",
        _TUNED: _cell(result, TUNED),
        _DIFFERENCE: _gap(summary.difference(result), result.comparison.difference),
    }


def _metric_names(result: TaskResult) -> str:
    """Names of a cell's figures, in their order; the dev splits' names where there are several."""
    names = " / ".join(_METRIC_NAMES.get(name, name) for name in result.task.metrics)
    splits = [split.removeprefix("dev_") for split in result.scores[STUDENT] if split != "dev"]
    return f"{names}; {' / '.join(splits)}" if splits else names


def _cell(result: TaskResult, system: str) -> str:
    if system not in result.scores:
        return _NONE
    return _figures([summary.named(result, system)])


def _figures(systems: Sequence[Mapping[str, float]]) -> str:
    """Each metric's mean over systems, without the task score, which follows from them."""
    names = [name for name in systems[0] if name != "score"]
    return " / ".join(_percent(fmean(one[name] for one in systems)) for name in names)


def _teachers_cell(result: TaskResult) -> str:
    if not result.members:
        return _NONE
    mean = _figures([summary.named(result, f"{TEACHER}{member}") for member in result.members])
    found = summary.teacher_scores(result)
    return f"{mean} ({_percent(min(found))} to {_percent(max(found))})" if found[1:] else mean


def _glue_line(results: Sequence[TaskResult]) -> list[dict[str, str]]:
    found, gap = summary.glue(results), summary.glue_difference(results)
    if gap is None:
        return []
    shown = {system: _percent(value) for system, value in found.items()}
    count = sum(result.task.glue for result in results)
    name = "GLUE score" if count == summary.GLUE_TASKS else f"GLUE score over {count} of 9 tasks"
    return [
        {
            _TASK: f"**{name}**",
            _MAJORITY: shown[MAJORITY],
            _BASELINE: shown[BASELINE],
            _STUDENT: f"**{shown[STUDENT]}**",
            _DIFFERENCE: _gap(summary.points(found[STUDENT], found[BASELINE]), gap),
        }
    ]


def _taught_line(results: Sequence[TaskResult]) -> list[dict[str, str]]:
    found = summary.gain(results)
    if found is None:
        return []
    return [
        {
            _TASK: f"Mean over tasks with teachers ({len(found.tasks)})",
            _TEACHERS: _percent(found.teachers),
            _ENSEMBLE: _percent(found.ensemble),
            _BASELINE: _percent(found.baseline),
            _STUDENT: f"**{_percent(found.student)}**",
            _DIFFERENCE: _gap(summary.points(found.student, found.baseline), found.difference),
        }
    ]


def _size_line(results: Sequence[TaskResult]) -> dict[str, str]:
    """Parameters in millions; of a task's teachers, with the models of all folds."""
    single, whole = [], []
    for result in results:
        manifests = [result.models[f"{TEACHER}{member}"] for member in result.members]
        sizes = [
            sum(one["parameters"] for one in label_notes.models(manifest)) for manifest in manifests
        ]
        single += sizes
        whole += [sum(sizes)] if sizes else []
    own = {system: results[0].models[system]["parameters"] for system in (BASELINE, STUDENT)}
    tuned = [r.models[TUNED]["parameters"] for r in results if TUNED in r.models]
    return {
        _TASK: "Parameters, millions",
        _TEACHERS: _millions(single),
        _ENSEMBLE: _millions(whole),
        _BASELINE: _millions([own[BASELINE]]),
        _STUDENT: _millions([own[STUDENT]]),
        _TUNED: _millions(tuned),
    }


def _millions(sizes: Sequence[int]) -> str:
    shown = dict.fromkeys(f"{size / 1e6:.2f}" for size in sorted(sizes))
    ends = list(shown)[:1] + list(shown)[1:][-1:]
    return " to ".join(ends) or _NONE


def _gap(points: float, interval: Difference) -> str:
    """A difference with its interval: +1.7 (0.3 to 3.1)."""
    return f"{_signed(points)} ({_percent(interval.low)} to {_percent(interval.high)})"


def _signed(points: float) -> str:
    return f"{points:+.1f}" if points else "0.0"


def _percent(fraction: float | None) -> str:
    if fraction is None:
        return _NONE
    shown = f"{100 * fraction:.1f}"
    return "0.0" if shown == "-0.0" else shown


def _p(p: float | None) -> str:
    if p is None:
        return _NONE
    return f"{p:.3f}" if p >= _SMALLEST_P else f"< {_SMALLEST_P}"


def _agreement_cell(result: TaskResult) -> str:
    means = agreement.mean(result.agreement)
    kappa, correlation = means.get(agreement.KAPPA), means.get(agreement.CORRELATION)
    if correlation is not None:
        return f"r {correlation:.2f}"
    shown = _percent(means.get(agreement.AGREEMENT))
    return shown if kappa is None else f"{shown} (kappa {kappa:.2f})"
