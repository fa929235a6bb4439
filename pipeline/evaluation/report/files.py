"""The reports: metrics.json, summary.json, scores.csv, results.md, the README's results block."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline import paths
from pipeline.errors import DataError
from pipeline.evaluation import summary
from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.report import data_notes, page_blocks, sentences, tables
from pipeline.runtime import artifacts

BEGIN, END = "<!-- results:{}:begin -->", "<!-- results:{}:end -->"
SUMMARY = paths.REPORTS / "summary.json"
SCORES = paths.REPORTS / "scores.csv"
RESTORED = (paths.METRICS, paths.RESULTS)


def write(results: Sequence[TaskResult], missing: Mapping[str, str]) -> None:
    """Write all reports.

    Args:
        results: the evaluated tasks, in the order of the table.
        missing: task -> why it was left out.

    Raises:
        DataError: there is no result.
    """
    if not results:
        raise DataError("no task could be evaluated", fix="check `data` in params.yaml")
    whole = {
        **summary.nested(results),
        "gain_note": sentences.kept(results),
        "missing": dict(missing),
    }
    artifacts.write_json(paths.METRICS, whole)
    artifacts.write_json(SUMMARY, summary.summary(results))
    _write_scores(results)
    with artifacts.new_file(paths.RESULTS) as staging:
        staging.write_text(markdown(results, missing), encoding="utf-8")


def restore() -> None:
    """Bring reports in line with data/evaluation/, which DVC may have restored without a run."""
    for path in RESTORED:
        kept = paths.EVALUATION / path.name
        if kept.exists() and not (path.exists() and path.read_bytes() == kept.read_bytes()):
            with artifacts.new_file(path) as staging:
                shutil.copyfile(kept, staging)


def markdown(results: Sequence[TaskResult], missing: Mapping[str, str]) -> str:
    """The whole report: headline, tables, what they come to, where the figures come from."""
    left_out = [f"{data_notes.title(name)} is left out: {why}." for name, why in missing.items()]
    bullets = [*sentences.sentences(results), *left_out, *data_notes.notes(results)]
    parts = [
        f"**{data_notes.headline(results, missing)}**",
        tables.scores(results),
        tables.SCORES_CAPTION,
        tables.checks(results),
        tables.CHECKS_CAPTION,
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
    kind = "sample" if data_notes.SAMPLE_HEADLINE in block else "glue"
    first, last = BEGIN.format(kind), END.format(kind)
    text = readme.read_text(encoding="utf-8")
    new = page_blocks.filled(text, first, last, block.strip())
    if new is None or new == text:
        return False
    with artifacts.new_file(readme) as staging:
        staging.write_text(new, encoding="utf-8")
    return True


def _write_scores(results: Sequence[TaskResult]) -> None:
    with (
        artifacts.new_file(SCORES) as staging,
        staging.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("task", "system", "metric", "value"))
        writer.writerows(summary.long(results))
