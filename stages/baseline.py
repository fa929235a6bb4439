"""Train the student's twin on hard labels only: what distillation must beat."""

from __future__ import annotations

from pipeline import command, paths
from pipeline.params import file

app = command.application("Train the student's twin on hard labels only.")


@app.command()
def main() -> None:
    """Write data/baseline: the same model, first weights and batches, without soft labels."""
    params = file.load()
    from pipeline import student

    student.train(paths.BASELINE, params, student.read_prepared(params), {}, None)


if __name__ == "__main__":
    command.run(app)
