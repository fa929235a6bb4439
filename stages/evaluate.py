"""Score every system on the dev rows and write predictions and reports."""

from __future__ import annotations

from pipeline import command
from pipeline.params import file

app = command.application("Score majority class, teachers, ensembles, baseline and student.")


@app.command()
def main() -> None:
    """Write data/evaluation/, the reports, and the README's results block if it has one."""
    params = file.load()
    from pipeline import evaluation, report

    missing = evaluation.missing(params.tasks)
    results = [
        evaluation.evaluate(name, taught=name in params.teachers.tasks)
        for name in params.tasks
        if name not in missing
    ]
    evaluation.write(results)
    report.write(results, missing)
    report.update_readme(report.markdown(results, missing))


if __name__ == "__main__":
    command.run(app)
