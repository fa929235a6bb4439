"""Digest the code that a module runs: all it imports, without comments and docstrings."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGES = ("pipeline", "stages")
_LEFT_OUT = frozenset({"pipeline/stage_registry.py"})
"""Files that decide no result: dvc.yaml repeats for DVC what a row sets for a stage. So a new
stage reruns no other."""
_DISCOVERY = "pipeline.runtime.discovery"
_ROOT = Path(__file__).resolve().parents[2]


class _File(NamedTuple):
    """One file of the project.

    Attributes:
        digest: SHA-256 of its syntax, or of its bytes if it is no Python.
        imports: every dotted name it may import; some are names in modules.
    """

    digest: str
    imports: frozenset[str] = frozenset()


class Code:
    """The project's code; each file is read once.

    Args:
        root: folder that holds the packages.
    """

    def __init__(self, root: Path = _ROOT) -> None:
        self._root = root
        self._files: dict[Path, _File] = {}

    def digest(self, module: str) -> str:
        """SHA-256, in hex, of what a module runs.

        Comments, docstrings, layout, line endings and code under `if TYPE_CHECKING:` do not
        count. Data files next to a package's modules do.

        Args:
            module: dotted name of a module of this project.
        """
        digest = hashlib.sha256()
        for file in (file for file in self.closure(module) if file not in _LEFT_OUT):
            digest.update(f"{file} {self._files[self._root / file].digest}\n".encode())
        return digest.hexdigest()

    def closure(self, module: str) -> list[str]:
        """Files that a module imports, itself included, directly or not.

        Imports inside functions count, and so do the packages of a module, and all modules
        next to one that imports `pipeline.runtime.discovery`, which finds them by name.

        Args:
            module: dotted name of a module of this project.

        Returns:
            Paths relative to the root, sorted.
        """
        reached: set[Path] = set()
        waiting = [module]
        while waiting:
            name = waiting.pop()
            path = self._path(name)
            if path is None or path in reached:
                continue
            reached |= {path, *self._data_files(path.parent)}
            if "." in name:
                waiting.append(name.rpartition(".")[0])
            waiting.extend(self._read(path, name).imports)
        return sorted(path.relative_to(self._root).as_posix() for path in reached)

    def _path(self, name: str) -> Path | None:
        """File of a module or package; None for a name that is neither, or not of the project."""
        if name.partition(".")[0] not in PACKAGES:
            return None
        path = self._root.joinpath(*name.split("."))
        candidates = (path / "__init__.py", path.with_name(f"{path.name}.py"))
        return next((file for file in candidates if file in self._files or file.is_file()), None)

    def _read(self, path: Path, name: str) -> _File:
        if path not in self._files:
            tree = ast.parse(path.read_bytes(), str(path))
            package = name if path.name == "__init__.py" else name.rpartition(".")[0]
            parts: list[str] = []
            imports: set[str] = set()
            _walk(tree, parts, imports, package)
            if _DISCOVERY in imports:
                imports.update(f"{package}.{module.stem}" for module in path.parent.glob("*.py"))
            self._files[path] = _File(_sha256("\n".join(parts).encode()), frozenset(imports))
        return self._files[path]

    def _data_files(self, folder: Path) -> Iterator[Path]:
        """Data files, such as lexicons: all files next to a module that are not Python."""
        for path in folder.iterdir():
            if path.suffix not in {".py", ".pyc"} and path.name[0] != "." and path.is_file():
                self._files.setdefault(path, _File(_sha256(path.read_bytes())))
                yield path


def digest(module: str) -> str:
    """SHA-256, in hex, of what a module of this project runs; see `Code.digest`."""
    return Code().digest(module)


def _walk(value: object, parts: list[str], imports: set[str], package: str) -> None:
    """Collect the syntax below a node, and the names it imports.

    Empty fields are left out: newer versions of Python have more of them.
    """
    if isinstance(value, ast.AST):
        if _is_text(value):
            return
        if isinstance(value, ast.If) and _is_for_types(value.test):
            for statement in value.orelse:
                _walk(statement, parts, imports, package)
            return
        imports.update(_imported(value, package))
        parts.append(type(value).__name__)
        for field in value._fields:
            child = getattr(value, field, None)
            if child is not None and child != []:
                parts.append(field)
                _walk(child, parts, imports, package)
        parts.append(")")
    elif isinstance(value, list):
        for child in value:
            _walk(child, parts, imports, package)
        parts.append("]")
    else:
        parts.append(repr(value))


def _is_text(node: ast.AST) -> bool:
    """Whether a statement is a text alone: a docstring of a module, class, function or field."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _is_for_types(test: ast.expr) -> bool:
    """Whether a condition is `TYPE_CHECKING`, which is false whenever code runs."""
    return getattr(test, "id", getattr(test, "attr", "")) == "TYPE_CHECKING"


def _imported(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        source = _absolute(node, package)
        yield source
        yield from (f"{source}.{alias.name}" for alias in node.names)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """Dotted name of what `from ... import` reads, relative or not."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
