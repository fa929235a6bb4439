"""Names of all commands, the modules they stand in, and what each does in one line."""

from __future__ import annotations

import ast
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

STAGES = (
    "download",
    "prepare",
    "refine",
    "select",
    "start",
    "teach",
    "label",
    "ensemble",
    "distil",
    "baseline",
    "tune",
    "evaluate",
)
MODULES = {
    **{name: f"stages.{name}" for name in STAGES},
    "profile": "stages.profile",
    "plan": "stages.plan",
    "predict": "stages.predict",
    "results": "stages.results",
    "usage": "stages.usage",
}
PANELS = {
    "Stages": list(STAGES),
    "Tools": [name for name in MODULES if name not in STAGES],
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
    """The first line of a command's module, read without importing it."""
    spec = find_spec(MODULES[name])
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no module {MODULES[name]}", name=MODULES[name])
    docstring = ast.get_docstring(ast.parse(Path(spec.origin).read_text("utf-8"))) or ""
    return docstring.partition("\n")[0]
