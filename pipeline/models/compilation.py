"""The encoder's layers compiled while it trains, where that was asked for and there is a GPU."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from torch import nn

from pipeline.errors import EncoderError
from pipeline.models import encoders

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_INDUCTOR = "inductor"


@contextmanager
def compiled(encoder: PreTrainedModel, backend: str = _INDUCTOR) -> Iterator[None]:
    """Within the block passes of the encoder's layers are compiled, for batches of any size.

    Layers are alike, so one of them is compiled and the others take what came out. A layer whose
    `forward` is replaced already stays as it is, and so does all but the layers.

    Args:
        encoder: of any family; one without a stack of layers is compiled as a whole.
        backend: of torch's compiler.
    """
    importlib.import_module("torch._meta_registrations")  # left out of torch's import: see startup
    parts = [part for part in _parts(encoder) if "forward" not in vars(part)]
    for part in parts:
        part.compile(backend=backend, dynamic=True)
    try:
        yield
    finally:
        for part in parts:
            part._compiled_call_impl = None  # as before `compile`, which has no way back


def _parts(encoder: PreTrainedModel) -> list[nn.Module]:
    try:
        return [*encoders.layer_stack(encoder)]
    except EncoderError:
        return [encoder]
