"""Write the tree of docs/architecture.md: every module with the first line of its docstring."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from pipeline.evaluation.report import page_blocks
from stages import _cli

app = _cli.application()

PAGE = Path("docs/architecture.md")
BEGIN, END = "<!-- tree:begin -->", "<!-- tree:end -->"
FOLDERS = (
    "mtdnnkd",
    "pipeline",
    "stages",
    "orchestration",
    "experiments",
    "scripts",
    "benchmarks",
)
_OTHERS = {
    "params.yaml": "all parameters; the committed file is the profile `sample`",
    "profiles/": "sets of parameters: sample, glue-cpu, glue-base, paper",
    "dvc.yaml": "the stages, what each depends on and makes",
    "dvc.lock": "hashes of the last run's inputs and outputs",
    "data/": "all artifacts, made by the stages, kept by DVC",
    "reports/": "figures and plots of the last run, the published table of the sample",
    "docs/": "tutorials, guides, reference, evidence, performance, decisions",
    "tests/": "mirrors this tree; tests/dvc runs the whole pipeline",
}


@app.command()
def main() -> None:
    """Rewrite the block between the tree markers of docs/architecture.md.

    Example: python -m scripts.tree
    """
    root = Path(__file__).resolve().parent.parent
    page_blocks.fill(root / PAGE, BEGIN, END, block(root))
    print(PAGE)


def block(root: Path) -> str:
    """The text between the page's markers: the tree as it is now."""
    return "\n".join(["```text", *lines(root), "```"])


def lines(root: Path) -> list[str]:
    """The tree: the code's modules by name, then the other files at the top."""
    entries = [entry for folder in FOLDERS for entry in _folder(root / folder, 0)]
    entries += list(_OTHERS.items())
    width = max(len(name) for name, _ in entries)
    return [f"{name:<{width}}  {phrase}".rstrip() for name, phrase in entries]


def _folder(folder: Path, depth: int) -> Iterator[tuple[str, str]]:
    indent = "  " * depth
    yield f"{indent}{folder.name}/", _phrase(folder / "__init__.py")
    for path in sorted(folder.iterdir()):
        if path.is_dir() and (path / "__init__.py").exists():
            yield from _folder(path, depth + 1)
        elif path.suffix == ".py" and path.name != "__init__.py":
            yield f"{indent}  {path.name}", _phrase(path)


def _phrase(file: Path) -> str:
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].rstrip(".")


if __name__ == "__main__":
    _cli.run(app)
