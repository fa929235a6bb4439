"""Train the same student on hard labels only."""

from __future__ import annotations

from pipeline import paths
from pipeline.data.prepared import read_prepared, train_rows
from pipeline.params import file
from stages import _cli

app = _cli.application()


@app.command()
def main() -> None:
    """Train the same student on hard labels only.

    It is what the student is compared with.

    Reads data/prepared. Writes data/baseline, laid out as data/student.

    Example: mtdnnkd baseline
    """
    params = file.load()
    from pipeline.student import train

    prepared = read_prepared(params)
    train.train(paths.BASELINE, params, prepared, train_rows(prepared))


if __name__ == "__main__":
    _cli.run(app)
