"""Write the reports of an evaluation: tables and all figures, DVC's metric and plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline import paths
from pipeline.errors import DataError
from pipeline.evaluation import evaluate
from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.report import cost, data_notes, figures, sentences, tables, warnings
from pipeline.runtime import artifacts

WARNING = "**Warning.**"


def write(results: Sequence[TaskResult], missing: Mapping[str, str]) -> None:
    """Replace data/evaluation, and write DVC's metric and plot to reports.

    Args:
        results: the evaluated tasks, in the order of the table.
        missing: task -> why it was left out.

    Raises:
        DataError: there is no result.
    """
    if not results:
        raise DataError("no task could be evaluated", fix="check `data` in params.yaml")
    with artifacts.new_folder(paths.EVALUATION) as folder:
        evaluate.write_predictions(results, folder)
        (folder / paths.METRICS.name).write_text(_metrics(results, missing), encoding="utf-8")
        (folder / paths.RESULTS.name).write_text(markdown(results, missing), encoding="utf-8")
    artifacts.write_json(paths.SUMMARY, figures.summary(results))
    with artifacts.new_file(paths.SCORES) as staging:
        figures.long(results).to_csv(staging, index=False, lineterminator="\n")


def _metrics(results: Sequence[TaskResult], missing: Mapping[str, str]) -> str:
    """Every figure, as JSON."""
    notes = {
        "gain_note": sentences.kept(results),
        "missing": dict(missing),
        "warnings": warnings.warnings(results),
    }
    return artifacts.dump_json({**figures.nested(results), **notes})


def markdown(results: Sequence[TaskResult], missing: Mapping[str, str]) -> str:
    """The whole report: headline and warnings, tables, sentences on results, notes on the data."""
    left_out = [f"{data_notes.title(name)} is left out: {why}." for name, why in missing.items()]
    bullets = [*sentences.sentences(results), *left_out, *data_notes.notes(results)]
    headline = f"**{data_notes.headline(results, missing)}**"
    parts = [
        "\n".join([headline, *(f"- {WARNING} {text}" for text in warnings.warnings(results))]),
        tables.scores(results),
        tables.SCORES_CAPTION,
        tables.checks(results),
        tables.CHECKS_CAPTION,
        cost.table(cost.costs(results)),
        cost.CAPTION,
        "\n".join(f"- {bullet}" for bullet in bullets),
    ]
    return "\n\n".join(parts) + "\n"
