"""Score teachers, ensembles, student and baseline with GLUE's metrics."""

from __future__ import annotations

from pipeline.params import file
from stages import _cli

app = _cli.application()


@app.command()
def main() -> None:
    """Score teachers, ensembles, student and baseline with GLUE's metrics.

    The majority class is scored as well. All scores and comparisons are on the dev rows.

    Reads data/prepared, data/soft_labels, data/student, data/baseline, data/tuned.
    Writes data/evaluation, reports/summary.json and reports/scores.csv.

    Example: mtdnnkd evaluate
    """
    params = file.load()
    from pipeline.evaluation import evaluate
    from pipeline.evaluation.report import files

    missing = evaluate.missing(params.tasks)
    results = [
        evaluate.evaluate(
            name, taught=name in params.teachers.tasks, tuned=name in params.tuning.tasks
        )
        for name in params.tasks
        if name not in missing
    ]
    files.write(results, missing)


if __name__ == "__main__":
    _cli.run(app)
