"""A copy of a model that computes in bfloat16, whose weights follow the float32 ones.

Under autocast a third of a training step's calls are casts: of every weight in every pass, and of
what each product reads. The copy's weights are narrow already, and so is what flows between its
layers. Gradients are taken of the copy's weights and change the float32 ones.

Two parts are shared with the model and stay float32: heads, which add up over tokens, and tables of
embeddings, whose gradient is a sum over tokens that bfloat16 would cut short.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.model.multitask import MultiTaskModel
from pipeline.runtime.hardware import Hardware
from pipeline.runtime.thread_pool import ThreadPool

FAMILIES = frozenset(
    {
        "albert",
        "bert",
        "camembert",
        "distilbert",
        "electra",
        "modernbert",
        "mpnet",
        "roberta",
        "xlm-roberta",
    }
)
"""Model types whose layers take bfloat16 from tables of float32; others run under autocast."""


def narrowed(model: MultiTaskModel, machine: Hardware) -> MultiTaskModel:
    """The model to pass rows through: a copy in bfloat16 where that is the precision.

    Args:
        model: float32 on the machine's device; it is returned itself for any other precision, and
            for an encoder of no family in `FAMILIES`.
        machine: the precision.
    """
    if machine.precision != "bfloat16" or model.encoder.config.model_type not in FAMILIES:
        return model
    tables = [module for module in model.encoder.modules() if isinstance(module, nn.Embedding)]
    shared = {id(weight) for module in (model.heads, *tables) for weight in module.parameters()}
    made: dict[int, Any] = {
        id(weight): weight if id(weight) in shared else _narrow(weight)
        for weight in model.parameters()
    }
    made[id(model.tasks)] = model.tasks  # a task's tables cannot be copied
    network = copy.deepcopy(model, made)
    network.narrow = True
    for module in network.encoder.modules():
        if isinstance(module, nn.Embedding):
            module.register_forward_hook(_narrow_output)
    follow(copies(model, network), ThreadPool(1))
    return network


def copies(model: MultiTaskModel, network: MultiTaskModel) -> dict[Tensor, Tensor]:
    """The narrow copy of each weight that has one, of a model and what `narrowed` returned."""
    pairs = zip(model.parameters(), network.parameters(), strict=True)
    return {weight: narrow for weight, narrow in pairs if narrow is not weight}


def follow(copies: Mapping[Tensor, Tensor], workers: ThreadPool) -> None:
    """Set each narrow weight to its float32 one, rounded.

    Args:
        copies: as returned by `copies`.
        workers: the threads that share the weights.
    """
    weights = list(copies)

    def set_some(start: int) -> None:
        some = weights[start :: workers.threads]
        if some:
            with torch.no_grad():
                torch._foreach_copy_([copies[weight] for weight in some], some)

    workers.map(set_some, range(workers.threads))


def widened(gradients: Sequence[Tensor | None]) -> tuple[Tensor | None, ...]:
    """Gradients, those in bfloat16 as float32; one call for all of them."""
    narrow = [one for one in gradients if one is not None and one.dtype == torch.bfloat16]
    if not narrow:
        return tuple(gradients)
    wide = [torch.empty_like(one, dtype=torch.float32) for one in narrow]
    torch._foreach_copy_(wide, narrow)
    remaining = iter(wide)
    return tuple(
        next(remaining) if one is not None and one.dtype == torch.bfloat16 else one
        for one in gradients
    )


def context(network: MultiTaskModel, machine: Hardware) -> contextlib.AbstractContextManager[Any]:
    """Context of the passes of what `narrowed` returned: autocast, but not for a narrow copy.

    On a GPU autocast would have its norms in float32, and cast before and after each.
    """
    if network.narrow:
        return torch.autocast(machine.device.partition(":")[0], enabled=False)
    return machine.autocast()


def _narrow(weight: nn.Parameter) -> nn.Parameter:
    empty = torch.empty_like(weight, dtype=torch.bfloat16)
    return nn.Parameter(empty, requires_grad=weight.requires_grad)


def _narrow_output(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
    return output.to(torch.bfloat16)
