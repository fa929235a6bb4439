"""The layers of an encoder: the list of them in any family, and the named ones alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.errors import EncoderError
from pipeline.params import encoders as spec

if TYPE_CHECKING:
    from torch.nn import ModuleList


def layer_stack(model: Any) -> ModuleList:
    """The encoder's own list of its layers, lowest first, whatever its family calls it.

    Raises:
        EncoderError: no list of modules in it has as many layers as its configuration names.
    """
    from torch.nn import ModuleList

    depth = model.config.num_hidden_layers
    for module in model.modules():
        if isinstance(module, ModuleList) and len(module) == depth:
            return module
    raise EncoderError("no stack of layers found in this encoder", seen=type(model).__name__)


def keep_layers(model: Any, layers: spec.Layers) -> None:
    """Keep some layers of an encoder, in place.

    Args:
        model: the encoder.
        layers: their numbers, from 1; `all`, or `every_second` from the second on.

    Raises:
        EncoderError: it has fewer layers, or its layers are not alike.
    """
    if layers == "all":
        return
    stack = layer_stack(model)
    depth = len(stack)
    kept = list(range(2, depth + 1, 2)) if layers == "every_second" else list(layers)
    if not kept or max(kept) > depth:
        raise EncoderError(
            f"the encoder has {depth} layers", seen=layers, where="layers of the encoder"
        )
    layers_kept = [stack[number - 1] for number in kept]
    del stack[:]
    stack.extend(layers_kept)
    model.config.num_hidden_layers = len(kept)
    if kinds := getattr(model.config, "layer_types", None):
        model.config.layer_types = [kinds[number - 1] for number in kept]
    _refuse_irregular(model, layers)


def _refuse_irregular(model: Any, layers: spec.Layers) -> None:
    """Refuse to cut layers that differ in kind: such a model could be saved but not loaded."""
    import torch

    with torch.device("meta"):  # names alone: no memory, no random numbers
        fresh = type(model)(model.config)
    if set(fresh.state_dict()) - {"pooler.dense.weight", "pooler.dense.bias"} != set(
        model.state_dict()
    ) - {"pooler.dense.weight", "pooler.dense.bias"}:
        raise EncoderError(
            "the layers of this encoder are not alike, so it cannot be cut",
            seen=layers,
            where="layers of the encoder",
            fix="set layers to all",
        )
