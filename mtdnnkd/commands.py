"""Names of all commands, their modules, and the purpose of each in one line."""

from __future__ import annotations

import ast
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules

from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

import stages
from pipeline.stage_registry import STAGES

_TOOLS = sorted(
    module.name
    for module in iter_modules(stages.__path__)
    if module.name not in STAGES and not module.name.startswith("_")
)
_DRIVER = "repro"
PANELS = {"Stages": list(STAGES), "Tools": [_DRIVER, *_TOOLS]}
MODULES = {
    _DRIVER: "orchestration.repro",
    **{name: f"stages.{name}" for name in (*STAGES, *_TOOLS)},
}


def load(name: str) -> TyperCommand | TyperGroup:
    """Import a command: the same as `python -m` runs from its module.

    Args:
        name: one of `MODULES`.
    """
    command = get_command(import_module(MODULES[name]).app)
    assert isinstance(command, TyperCommand | TyperGroup)
    return command


def summary(name: str) -> str:
    """What a command does, in one line: of a tool, its module's first, read without an import."""
    if name in STAGES:
        return STAGES[name].does
    spec = find_spec(MODULES[name])
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no module {MODULES[name]}", name=MODULES[name])
    docstring = ast.get_docstring(ast.parse(Path(spec.origin).read_text("utf-8"))) or ""
    return docstring.partition("\n")[0]
