"""transformers without what no encoder needs: most of what a training stage takes to start.

The module of any one encoder imports torch's compiler, its sharded tensors and scipy as well, for
generation, quantised products and object detection: several CPU-seconds in every process, and
nothing of it is called here. `transformers` below leaves them out while the library is imported,
and only then: later `import torch._dynamo` gives all of it. What a future version wants besides
is imported as always.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

# What the modules of all families import. A family's own module is imported as it is.
_SHARED = ("modeling_utils", "modeling_layers", "masking_utils", "generation.utils")
_COMPILER = "torch._dynamo"
_MARKS = ("allow_in_graph", "assume_constant_result", "disable")
_TRACING = f"{_COMPILER}._trace_wrapped_higher_order_op"


@cache
def transformers() -> Any:
    """The library, with what its encoders share imported already and without the rest."""
    library = importlib.import_module("transformers")
    with (
        contextlib.suppress(ImportError, AttributeError),  # not as we know it: import it as it is
        _models_listed_once(library),
        _without_backends(),
        _without_compiler(),
    ):
        for name in _SHARED:
            importlib.import_module(f"transformers.{name}")
    return library


def undrawn() -> contextlib.AbstractContextManager[None]:
    """Build models without drawing first weights: their memory is asked for, but not touched."""
    transformers()
    from transformers import initialization

    return initialization.no_init_weights()


@contextlib.contextmanager
def off_meta() -> Iterator[None]:
    """Let `from_pretrained` build models undrawn on the CPU, not on torch's device `meta`.

    Either way all weights are read from the file afterwards, but `meta` has sympy and parts of
    the compiler imported.
    """
    import torch

    model = transformers().PreTrainedModel
    listed = vars(model)["get_init_context"]

    def in_place(cls: Any, *args: Any, **kwargs: Any) -> list[Any]:
        contexts = listed.__func__(cls, *args, **kwargs)
        return [undrawn() if isinstance(each, torch.device) else each for each in contexts]

    model.get_init_context = classmethod(in_place)
    try:
        yield
    finally:
        model.get_init_context = listed


@contextlib.contextmanager
def unsharded() -> Iterator[None]:
    """Save models as where torch's sharded tensors are missing: there are none to look for.

    Where accelerate is installed transformers asks it to look, and that needs them.
    """
    name = "torch.distributed.tensor"
    if name in sys.modules or importlib.util.find_spec("accelerate") is not None:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # Python's own mark: not to be imported
    try:
        yield
    finally:
        del sys.modules[name]


@contextlib.contextmanager
def _models_listed_once(library: ModuleType) -> Iterator[None]:
    """Spare the second of two readings of every model's source, of which there are 60 MB.

    The list made of them is cached, but under another name than the one asked for next.
    """
    from transformers.utils import import_utils

    listed = import_utils.define_import_structure
    folder = Path(str(library.__file__)).parent / "models"

    def from_first(path: Any, prefix: str | None = None) -> Any:
        if prefix is not None or Path(path) != folder / "__init__.py":
            return listed(path, prefix)
        return {
            backends: {
                name.removeprefix("models."): objects
                for name, objects in modules.items()
                if name.startswith("models.")
            }
            for backends, modules in listed(folder, prefix="models").items()
        }

    with _replaced(import_utils, define_import_structure=from_first):
        importlib.import_module("transformers.models")
        yield


@contextlib.contextmanager
def _without_backends() -> Iterator[None]:
    """Let the library see what it sees where scipy or torch's distributed part is missing."""
    from transformers import utils
    from transformers.utils import import_utils

    answers = {
        "is_scipy_available": lambda: False,  # wanted by losses of object detection
        "is_torch_distributed_available": lambda: False,  # wanted by sharded tensors
    }
    with _replaced(utils, **answers), _replaced(import_utils, **answers):
        yield


@contextlib.contextmanager
def _without_compiler() -> Iterator[None]:
    """Leave torch's compiler out, of which only marks on functions and one class are wanted."""
    if _COMPILER in sys.modules:
        yield
        return
    compiler, tracing = ModuleType(_COMPILER), ModuleType(_TRACING)
    compiler.__dict__.update(dict.fromkeys(_MARKS, _unmarked), __path__=[])
    tracing.__dict__["TransformGetItemToIndex"] = _scalars_as_indices
    sys.modules.update({_COMPILER: compiler, _TRACING: tracing})
    try:
        yield
    finally:
        del sys.modules[_COMPILER], sys.modules[_TRACING]


def _unmarked(function: Any = None, *_: Any, **__: Any) -> Any:
    """A mark for the compiler, as decorator or as a decorator's maker."""
    return _unmarked if function is None else function


def _scalars_as_indices() -> Any:
    """The one class of the compiler's that is used without compiling, by some masks."""
    return importlib.import_module(_TRACING).TransformGetItemToIndex()


@contextlib.contextmanager
def _replaced(module: ModuleType, **values: Any) -> Iterator[None]:
    """Names of a module that mean something else for a while."""
    before = {name: getattr(module, name) for name in values}
    module.__dict__.update(values)
    try:
        yield
    finally:
        module.__dict__.update(before)
