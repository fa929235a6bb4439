"""Write Vega beside the page of DVC's plots, which then needs no network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.runtime import artifacts
from stages import _cli

app = _cli.application()

FOLDER = Path("dvc_plots")
NAME = "vega.js"
"""The file that .dvc/plots/page.html looks for in its own folder."""


@app.command()
def main(
    folder: Annotated[Path, typer.Argument(help="Folder of the page.")] = FOLDER,
) -> None:
    """Write Vega, Vega-Lite and Vega-Embed into one file beside the page, unless it is there.

    Example: python -m scripts.vega
    """
    path = folder / NAME
    if not path.exists():
        import vl_convert

        with artifacts.new_file(path) as staging:
            bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
            staging.write_text(bundle, encoding="utf-8")


if __name__ == "__main__":
    _cli.run(app)
