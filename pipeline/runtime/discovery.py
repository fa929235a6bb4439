"""Find implementations (heads, rules, losses, sources) by the name of their module."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Generic, TypeVar

T = TypeVar("T")


def subclasses(package: str, base: type[T]) -> list[type[T]]:
    """Subclasses of a class that the modules of a package define, in the order of the modules.

    Args:
        package: dotted name; its `__init__` may be running.
        base: the class; it is left out itself.
    """
    names = sorted(info.name for info in pkgutil.iter_modules(sys.modules[package].__path__))
    modules = [import_module(f"{package}.{name}") for name in names]
    return [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, base)
        and value.__module__ == module.__name__
        and value is not base
    ]


class Registry(Generic[T]):
    """Implementations by kind; each is in the module of the package that has its kind's name.

    A kind's module is imported when the kind is first asked for.

    Args:
        package: dotted name of the package.
    """

    def __init__(self, package: str) -> None:
        self._package = package
        self._kinds: dict[str, T] = {}

    def register(self, kind: str) -> Callable[[T], T]:
        """A decorator that makes its object the implementation of a kind."""

        def add(implementation: T) -> T:
            self._kinds[kind] = implementation
            return implementation

        return add

    def __getitem__(self, kind: str) -> T:
        """The implementation of a kind.

        Raises:
            LookupError: its module is not there, or registers nothing under this name.
        """
        module = f"{self._package}.{kind}"
        if kind not in self._kinds and find_spec(module) is not None:
            import_module(module)
        if kind not in self._kinds:
            raise LookupError(f"{module} does not register the kind {kind}")
        return self._kinds[kind]
