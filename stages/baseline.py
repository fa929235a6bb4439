"""Train the student's twin on hard labels only: what distillation must beat."""

from __future__ import annotations

from pipeline import command, paths
from pipeline.params import file

app = command.application()


@app.command()
def main() -> None:
    """Train the student's twin on hard labels only: what distillation must beat.

    Reads data/prepared. Writes data/baseline, laid out as data/student.
    """
    params = file.load()
    from pipeline import student

    prepared = student.read_prepared(params)
    student.train(paths.BASELINE, params, prepared, student.train_rows(prepared))


if __name__ == "__main__":
    command.run(app)
