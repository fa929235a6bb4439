"""Each package imports only what stands below it, and no module imports in a circle.

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
BELOW_EVALUATION = BELOW_MODEL | {"soft_labels"}
BELOW_TRAINING = BELOW_EVALUATION | {"model"}
LIBRARY = {
    **dict.fromkeys(sorted(VOCABULARY), VOCABULARY),
    "runtime": VOCABULARY,
    "params": BELOW_PARAMS,
    "data": BELOW_PARAMS | {"params"},
    "soft_labels": BELOW_MODEL,
    "model": BELOW_MODEL,
    "training": BELOW_TRAINING,
    "teachers": BELOW_TRAINING | {"training"},
    "student": BELOW_TRAINING | {"training"},
    "evaluation": BELOW_EVALUATION,
    "replication": BELOW_EVALUATION | {"evaluation"},
    "planning": BELOW_MODEL | {"model", "training.task_sampling", "training.task_passes"},
    "deployment": BELOW_TRAINING,
}
PLANNED = {"planning", "stage_registry", "errors", "paths", "params", "runtime"}
PROGRAMS = {
    "stages": {"pipeline"},
    "orchestration": {"stages._cli", *(f"pipeline.{folder}" for folder in PLANNED)},
    "mtdnnkd": {"pipeline", "stages"},
    "scripts": {"pipeline", "stages._cli", "mtdnnkd"},
    "experiments": {"pipeline", "stages._cli"},
    "benchmarks": {"pipeline", "stages._cli"},
}
MAY_IMPORT = PROGRAMS | {
    f"pipeline.{folder}": {f"pipeline.{name}" for name in below}
    for folder, below in LIBRARY.items()
}
WITHOUT_TORCH = sorted(BELOW_EVALUATION | {"evaluation", "replication"})


def name_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    name_of(file): file
    for package in ("pipeline", *PROGRAMS)
    for file in (ROOT / package).rglob("*.py")
}


def imports(tree: ast.AST) -> Iterator[str]:
    """Every dotted name that is imported: in functions and for type checkers too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, "imports name their module in full"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


TREES = {module: ast.parse(file.read_text("utf-8")) for module, file in MODULES.items()}
IMPORTS = {module: set(imports(tree)) for module, tree in TREES.items()}


def within(module: str, *packages: str) -> bool:
    return any(f"{module}.".startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_stands_below_it(package: str) -> None:
    wrong = [
        f"{module} imports {name}"
        for module, names in IMPORTS.items()
        if within(module, package)
        for name in sorted(names)
        if within(name, "pipeline", *PROGRAMS) and not within(name, package, *MAY_IMPORT[package])
    ]
    assert wrong == []


def test_every_module_has_its_place() -> None:
    assert [module for module in MODULES if not within(module, *MAY_IMPORT)] == ["pipeline"]


def test_no_circle_of_imports() -> None:
    graph = {module: names & set(MODULES) for module, names in IMPORTS.items()}
    TopologicalSorter(graph).prepare()


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Statements that run when a module is imported: not functions, not those of type checkers."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        typing = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        if not typing and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from at_import(child)


@pytest.mark.parametrize("folder", WITHOUT_TORCH)
def test_what_computes_without_a_model_imports_no_torch(folder: str) -> None:
    names = {
        (module, name.partition(".")[0])
        for module, tree in TREES.items()
        if within(module, f"pipeline.{folder}")
        for statement in at_import(tree)
        for name in imports(statement)
    }
    assert names
    assert {module for module, name in names if name in ("torch", "transformers")} == set()
