"""Each folder of the library imports only what stands below it, and no module imports in a circle.

Run with: python -m pytest tests/test_layering.py
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
VOCABULARY = {"errors", "paths", "tasks", "metrics", "stage_registry"}
BELOW_PARAMS = VOCABULARY | {"runtime"}
BELOW_MODEL = BELOW_PARAMS | {"params", "data"}
BELOW_TRAINING = BELOW_MODEL | {"soft_labels", "model"}
MAY_IMPORT = {
    **dict.fromkeys(sorted(VOCABULARY), VOCABULARY),
    "runtime": VOCABULARY,
    "params": BELOW_PARAMS,
    "data": BELOW_PARAMS | {"params"},
    "soft_labels": BELOW_MODEL,
    "model": BELOW_MODEL,
    "training": BELOW_TRAINING,
    "teachers": BELOW_TRAINING | {"training"},
    "student": BELOW_TRAINING | {"training"},
    "evaluation": BELOW_MODEL | {"soft_labels"},
    "planning": BELOW_MODEL | {"model", "training"},
    "deployment": BELOW_TRAINING,
}
ABOVE = {"stages", "orchestration", "experiments", "benchmarks", "scripts", "mtdnnkd"}


def name_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(file): file for file in (ROOT / "pipeline").rglob("*.py")}


def imports(file: Path) -> Iterator[str]:
    """Every dotted name that a file imports: in functions and for type checkers too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_folder_imports_only_what_stands_below_it(folder: str) -> None:
    wrong = [
        f"{module} imports {name}"
        for module, file in MODULES.items()
        if module.split(".")[1:2] == [folder]
        for name in imports(file)
        if name.partition(".")[0] in ABOVE
        or (
            name.startswith("pipeline.") and name.split(".")[1] not in MAY_IMPORT[folder] | {folder}
        )
    ]
    assert wrong == []


def test_every_folder_has_its_place() -> None:
    assert {module.split(".")[1] for module in MODULES if "." in module} <= set(MAY_IMPORT)


def test_no_circle_of_imports() -> None:
    graph = {module: set(imports(file)) & set(MODULES) for module, file in MODULES.items()}
    TopologicalSorter(graph).prepare()
