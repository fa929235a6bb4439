"""Write the reference of params.yaml: docs/reference/params.md and params.schema.json."""

from __future__ import annotations

from pathlib import Path

from pipeline.params import file, schema
from pipeline.runtime import artifacts
from stages import _cli

app = _cli.application()

FOLDER = Path("docs") / "reference"


@app.command()
def main() -> None:
    """Rewrite both files where they are out of date.

    Example: python -m scripts.params_reference
    """
    root = Path(__file__).resolve().parent.parent
    for name, text in texts(root).items():
        path = root / FOLDER / name
        current = path.is_file() and path.read_text(encoding="utf-8") == text
        if not current:
            with artifacts.new_file(path) as staging:
                staging.write_text(text, encoding="utf-8")
        print(f"{FOLDER / name}: {'is up to date' if current else 'written'}")


def texts(root: Path) -> dict[str, str]:
    """Both files' texts by name, from the models and the sample profile as they are now."""
    sample = file.read_yaml(root / "profiles" / "sample.yaml")
    return {"params.schema.json": schema.json_schema(), "params.md": schema.reference(sample)}


if __name__ == "__main__":
    _cli.run(app)
