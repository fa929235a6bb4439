"""Score teachers, ensembles, student and baseline with GLUE's metrics."""

from __future__ import annotations

from pipeline.params import file
from stages import _cli

app = _cli.application()


@app.command()
def main() -> None:
    """Score teachers, ensembles, student and baseline with GLUE's metrics.

    The majority class is scored as well. All scores and comparisons are on the dev rows.

    Reads data/prepared, data/refined, data/selection.json, data/soft_labels, data/student,
    data/baseline, data/tuned.
    Writes data/evaluation, reports/summary.json and reports/scores.csv.

    Example: mtdnnkd evaluate
    """
    params = file.load()
    from pipeline.evaluation import baselines, evaluate
    from pipeline.evaluation.report import files

    missing = evaluate.missing(params.tasks)
    tasks = [name for name in params.tasks if name not in missing]
    choice = baselines.choose(tasks, params.baseline.budgets)
    candidates = evaluate.ranked_candidates()
    results = [
        evaluate.evaluate(
            name,
            taught=name in params.teachers.tasks,
            tuned=name in params.tuning.tasks,
            choice=choice,
            candidates=candidates,
        )
        for name in tasks
    ]
    files.write(results, missing)


if __name__ == "__main__":
    _cli.run(app)
