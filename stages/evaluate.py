"""Score every system on the dev rows and write predictions and reports."""

from __future__ import annotations

from pipeline import command
from pipeline.params import file

app = command.application()


@app.command()
def main() -> None:
    """Score and compare majority class, teachers, ensembles, baseline and student on the dev rows.

    Reads data/prepared, data/soft_labels, data/student, data/baseline, data/tuned.
    Writes data/evaluation and reports.
    """
    params = file.load()
    from pipeline.results import evaluation, report

    missing = evaluation.missing(params.tasks)
    results = [
        evaluation.evaluate(
            name, taught=name in params.teachers.tasks, tuned=name in params.tuning.tasks
        )
        for name in params.tasks
        if name not in missing
    ]
    report.write(results, missing)
    evaluation.write(results, report.RESTORED)
    report.update_readme(report.markdown(results, missing))


if __name__ == "__main__":
    command.run(app)
