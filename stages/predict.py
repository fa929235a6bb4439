"""Predict labels of your own texts with a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline import paths
from pipeline.params import file
from stages import _cli

app = _cli.application()


@app.command()
def main(
    texts: Annotated[
        Path, typer.Argument(help="Tab-separated file whose header names the text columns.")
    ],
    task: Annotated[str, typer.Option(help="Task that the model was trained on.")],
    out: Annotated[Path, typer.Option(help="File to write, .tsv or .parquet.")],
    model: Annotated[Path, typer.Option(help="Folder of the model.")] = paths.STUDENT,
) -> None:
    """Predict labels of your own texts with the student or another trained model.

    Reads TEXTS, with columns sentence1 and, for pairs, sentence2 (or those of your own task), and
    the model's folder. Writes OUT: the texts, `prediction`, and a probability for every class.

    Example: mtdnnkd predict texts.tsv --task rte --out predictions.tsv
    """
    from pipeline.deployment import predict

    params = file.load()
    predict.check_target(out)
    examples = predict.read(texts, task, params)
    predict.write(out, predict.predict(model, task, examples, params.machine))


if __name__ == "__main__":
    _cli.run(app)
