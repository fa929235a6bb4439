"""Write each stage's imports into dvc.yaml, so that only what a stage runs can rerun it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

PACKAGES = ("pipeline", "stages")
_STAGE = re.compile(r"^  (\w+):$")
_COMMAND = re.compile(r"^    cmd: .*python -m ([\w.]+)")
_DISCOVERY = re.compile(r"^from pipeline\.runtime.* import .*(discovery|Registry)", re.M)
_INDENT = " " * 6


def closure(module: str, root: Path) -> list[str]:
    """Files of the project that a module imports, itself included, directly or not.

    Imports inside functions count, and so do the packages a module lies in, the data files (not
    Python) that lie beside a package's modules, and every module of a package in which a module
    imports `pipeline.runtime.discovery`, which imports them by name.

    Args:
        module: dotted name of a module of this project.
        root: folder that holds the packages.

    Returns:
        Paths relative to `root`, sorted.
    """
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        file = _file_of(name, root)
        if file is None or file in found:
            continue
        found.add(file)
        found.update(_data_beside(file))
        if "." in name:
            waiting.append(name.rpartition(".")[0])
        waiting.extend(_imports(file, name))
    return sorted(file.relative_to(root).as_posix() for file in found)


def listed(module: str, root: Path) -> list[str]:
    """As `closure`, with the folder in place of its files where a module needs them all.

    DVC reads dvc.lock anew for every stage it looks at, so short lists are quick ones.
    """
    found = closure(module, root)
    folders = {path.rpartition("/")[0] for path in found} - set(PACKAGES)
    whole = {folder for folder in folders if _files(root / folder, root) <= set(found)}
    return sorted({_shortest(path, whole) for path in found})


def _shortest(path: str, whole: set[str]) -> str:
    folders = (folder.as_posix() for folder in reversed(PurePosixPath(path).parents))
    return next((folder for folder in folders if folder in whole), path)


def _files(folder: Path, root: Path) -> set[str]:
    """Files below a folder that DVC would hash with it."""
    return {
        file.relative_to(root).as_posix()
        for file in folder.rglob("*")
        if file.is_file() and file.suffix != ".pyc" and file.name[0] != "."
    }


def rewrite(text: str, root: Path) -> str:
    """Replace the lines between the markers of dvc.yaml by each stage's imports."""
    lines, module, inside = [], "", False
    for line in text.splitlines():
        if _STAGE.match(line):
            module = ""
        if command := _COMMAND.match(line):
            module = command[1]
        if line == f"{_INDENT}# end of code":
            inside = False
        if not inside:
            lines.append(line)
        if line == f"{_INDENT}# code":
            inside = True
            lines.extend(f"{_INDENT}- {path}" for path in listed(module, root))
    return "\n".join(lines) + "\n"


def _file_of(name: str, root: Path) -> Path | None:
    if name.partition(".")[0] not in PACKAGES:
        return None
    path = root.joinpath(*name.split("."))
    candidates = (path / "__init__.py", path.with_name(path.name + ".py"))
    return next((file for file in candidates if file.is_file()), None)


def _imports(file: Path, name: str) -> Iterator[str]:
    """Every dotted name a file may import; names that are no modules are passed over later."""
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    yield from _discovered(file, package)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = _absolute(node, package)
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def _discovered(file: Path, package: str) -> Iterator[str]:
    """Modules of a package that finds its kinds by `pipeline.runtime.discovery`."""
    if _DISCOVERY.search(file.read_text(encoding="utf-8")):
        yield from (f"{package}.{other.stem}" for other in file.parent.glob("*.py"))


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """Dotted name of what `from ... import` reads, relative or not."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def _data_beside(file: Path) -> Iterator[Path]:
    """Lexicons and the like: whatever is no Python in the folder of an imported module."""
    for other in file.parent.iterdir():
        if other.is_file() and other.suffix not in {".py", ".pyc"} and other.name[0] != ".":
            yield other


def main() -> None:
    """Bring dvc.yaml in the current folder up to date and say whether it changed."""
    root = Path.cwd()
    file = root / "dvc.yaml"
    before = file.read_text(encoding="utf-8")
    after = rewrite(before, root)
    if after == before:
        print("dvc.yaml: code dependencies are up to date")
        return
    file.write_text(after, encoding="utf-8")
    print("dvc.yaml: code dependencies rewritten; commit it with the change that caused it")


if __name__ == "__main__":
    main()
