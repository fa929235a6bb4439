"""Distil all teachers' soft labels into one multi-task student."""

from __future__ import annotations

from pipeline import command
from pipeline.params import file

app = command.application("Distil the soft labels of all teachers into one multi-task student.")


@app.command()
def main() -> None:
    """Write data/student: weights, tokenizer, log.csv and the logits of all held-out rows."""
    params = file.load()
    from pipeline import distillation

    distillation.distil(params)


if __name__ == "__main__":
    command.run(app)
