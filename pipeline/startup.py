"""What a stage's process sets for itself before it imports anything else."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_TORCH = "torch"
# A third of its import, for its compiler and its device `meta`: imported when first asked for.
_LATER = ("export", "_meta_registrations")
_LISTED = "_lazy_modules"  # torch's own list of such parts


def prepare() -> None:
    """Set the collector, what idle threads do and how torch is imported; again does nothing."""
    # Imports make objects by the million and hardly any garbage; at Python's own threshold of 700
    # the collector goes through them so often that it takes up to a fifth of a stage's start.
    gc.set_threshold(50_000, 20, 20)
    # Threads of torch that wait for work sleep. They would spin, and with another stage or anything
    # else on the cores a step of training then costs several times its CPU time.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if _TORCH not in sys.modules and not any(isinstance(one, _Finder) for one in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Finds torch where it always is and has it executed by `_execute`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _TORCH:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            loader: Any = spec.loader
            whole = loader.exec_module
            loader.exec_module = lambda module: _execute(module, whole)
        return spec


def _execute(module: ModuleType, whole: Callable[[ModuleType], None]) -> None:
    """Execute torch with names in place of some of its parts, and list the parts as lazy."""
    for name in _LATER:
        setattr(module, name, _Placeholder(f"{module.__name__}.{name}"))
    whole(module)
    for name in _LATER:
        if isinstance(getattr(module, name), _Placeholder):
            delattr(module, name)
    if hasattr(module, _LISTED):
        setattr(module, _LISTED, {*getattr(module, _LISTED), *_LATER})
    else:  # not as we know it: no part may be missing
        for name in _LATER:
            importlib.import_module(f"{module.__name__}.{name}")


class _Placeholder(ModuleType):
    """A module that is imported when anything of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)
