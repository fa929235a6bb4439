"""Train the one multi-task student on hard and soft labels."""

from __future__ import annotations

from pipeline.params import file
from stages import _cli

app = _cli.application()


@app.command()
def main() -> None:
    """Train the one multi-task student on hard and soft labels.

    Reads data/prepared, data/transfer, data/soft_labels, data/feature_teachers.
    Writes data/student: weights, tokenizer, log, logits of held-out rows.

    Example: mtdnnkd distil
    """
    params = file.load()
    from pipeline.student import distil

    distil.distil(params)


if __name__ == "__main__":
    _cli.run(app)
