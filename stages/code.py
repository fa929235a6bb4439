"""Write a digest of the code of every stage."""

from __future__ import annotations

from pipeline import paths, stage_registry
from pipeline.runtime import artifacts, code_digest
from stages import _cli

app = _cli.application()


@app.command()
def main() -> None:
    """Write a digest of the code of every stage.

    Every other stage depends on its own digest, so that only a change of its code reruns it.

    Reads pipeline and stages. Writes data/code: one file per stage, the SHA-256 of all modules that
    the stage imports, without comments and docstrings.

    Example: mtdnnkd code
    """
    code = code_digest.Code()
    with artifacts.new_folder(paths.CODE) as staging:
        for stage in stage_registry.STAGES:
            digest = code.digest(f"stages.{stage}")
            (staging / stage).write_text(f"{digest}\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    _cli.run(app)
