"""Write the project's tree into the README, a phrase a file, taken from each file's first line."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from pipeline.runtime import artifacts

BEGIN, END = "<!-- tree:begin -->", "<!-- tree:end -->"
FOLDERS = ("pipeline", "stages", "orchestration", "experiments", "scripts", "benchmarks")
_OTHERS = {
    "params.yaml": "every knob; the committed file is the profile `sample`",
    "profiles/": "sample, glue-cpu, glue-base, paper",
    "dvc.yaml": "the stages, what each depends on and makes",
    "dvc.lock": "hashes of the last run's inputs and outputs",
    "data/": "all artifacts, made by the stages, kept by DVC",
    "reports/": "summary.json and scores.csv, written by evaluate; results.md, by a release",
    "docs/": "evidence, soft-label schema, cost model, performance, decisions",
    "tests/": "mirrors this tree; tests/dvc runs the whole pipeline",
}


def main() -> None:
    """Rewrite the block between the tree markers of README.md."""
    root = Path(__file__).resolve().parent.parent
    readme = root / "README.md"
    text = readme.read_text(encoding="utf-8")
    new = rewrite(text, root)
    if new != text:
        with artifacts.new_file(readme) as staging:
            staging.write_text(new, encoding="utf-8")
    print(f"README.md: tree {'written' if new != text else 'is up to date'}")


def rewrite(text: str, root: Path) -> str:
    """The README's text with the tree as it is now between the markers."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        return text
    tree = "\n".join(lines(root))
    return f"{before}{BEGIN}\n\n```text\n{tree}\n```\n\n{END}{after}"


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
    main()
