"""Link the teachers whose features the student is trained to match."""

from __future__ import annotations

from pipeline.params import file
from stages import _cli

app = _cli.application()


@app.command()
def main() -> None:
    """Link the teachers whose features the student is trained to match.

    Features are hidden states and attention.

    Reads data/teachers, of distillation.features.member alone.
    Writes data/feature_teachers: one model per task; without a member only a manifest.

    Example: mtdnnkd feature_teachers
    """
    params = file.load()
    from pipeline.student import feature_teachers

    feature_teachers.write(params)


if __name__ == "__main__":
    _cli.run(app)
