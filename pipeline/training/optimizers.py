"""Build the optimizer: learning-rate schedule, rates of lower layers, weights without decay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from pipeline.errors import EncoderError
from pipeline.model import encoder_layers
from pipeline.params.training import Training

FACTOR = "factor"  # key of a group of weights: its share of the schedule's rate


class Group(NamedTuple):
    """Weights that share their rate and their decay."""

    weights: Sequence[Tensor]
    factor: float  # share of the schedule's rate
    decayed: bool


def groups(
    model: nn.Module, settings: Training, further: Iterable[nn.Parameter] = ()
) -> list[Group]:
    """The model's trained weights; biases and norms are not decayed.

    Args:
        model: a multi-task model; of one without an `encoder` the layer decay must be 1.
        settings: the layer decay.
        further: weights that are trained along with the model's, at the heads' rate.

    Raises:
        EncoderError: a layer decay is asked for and the encoder has no stack of layers.
    """
    factors = layer_factors(model, settings.layer_decay)
    members: dict[tuple[float, bool], list[Tensor]] = defaultdict(list)
    for parameter in (*model.parameters(), *further):
        if parameter.requires_grad:
            members[factors.get(parameter, 1.0), parameter.ndim >= 2].append(parameter)
    return [Group(members[key], *key) for key in sorted(members, reverse=True)]


def build(groups: Iterable[Group], settings: Training, device: str) -> torch.optim.Optimizer:
    """AdamW or Adamax over groups of weights.

    Args:
        groups: weights with their rates and decays.
        settings: kind, highest rate and weight decay.
        device: torch's name of the device that the weights are on.
    """
    options = [
        {
            "params": [*group.weights],
            "weight_decay": settings.weight_decay if group.decayed else 0.0,
            FACTOR: group.factor,
        }
        for group in groups
    ]
    if settings.optimizer == "adamax":
        return Adamax(options, lr=settings.learning_rate)
    fused = device.partition(":")[0] in {"cpu", "cuda", "mps"}
    return torch.optim.AdamW(options, lr=settings.learning_rate, fused=fused)


class Adamax(torch.optim.Adamax):
    """Adamax whose weight decay is decoupled, as AdamW's is (arXiv 1711.05101).

    torch's adds the decay to the gradient. Adamax then divides by the largest gradient so far, and
    where gradients are small, as in large models with clipped norms, decay is all that is left.
    """

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Shrink decayed weights by rate times decay, then do Adamax's step."""
        decays = [group["weight_decay"] for group in self.param_groups]
        for group, decay in zip(self.param_groups, decays, strict=True):
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if decay and weights:
                torch._foreach_mul_(weights, 1 - group["lr"] * decay)
            group["weight_decay"] = 0.0
        try:
            return super().step(closure)
        finally:
            for group, decay in zip(self.param_groups, decays, strict=True):
                group["weight_decay"] = decay


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the rate of every group of weights to its share of the schedule's rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group[FACTOR]


def rate(step: int, steps: int, settings: Training) -> float:
    """Learning rate of a step: linear rise over the warm-up, then linear fall to 0.

    Args:
        step: number of the step of the optimizer, from 0.
        steps: number of all steps.
        settings: highest rate and share of warm-up steps.
    """
    rising = settings.warmup * steps
    if step < rising:
        return settings.learning_rate * (step + 1) / (rising + 1)
    return settings.learning_rate * (steps - step) / max(1.0, steps - rising)


def layer_factors(model: nn.Module, decay: float) -> dict[nn.Parameter, float]:
    """Factor on the rate of every weight of the encoder, similar to ELECTRA's and BAM's.

    Of L layers the highest has `decay`, the next `decay^2`, and the embeddings `decay^(L + 1)`,
    with all else that feeds the lowest layer; ELECTRA has each power one higher. Modules above
    the layers, such as a pooler, have 1, like the heads; weights with factor 1 may be missing.

    Args:
        model: a model with an `encoder`.
        decay: factor of one layer, above 0; 1 for the same rate everywhere.

    Raises:
        EncoderError: the encoder has no stack of layers.
    """
    if decay == 1:
        return {}
    encoder = model.get_submodule("encoder")
    layers = [list(layer.parameters()) for layer in _layers(encoder)]
    stacked = {parameter for layer in layers for parameter in layer}
    factors = dict.fromkeys(_weights_below_layers(encoder, stacked), decay ** (len(layers) + 1))
    for depth, layer in enumerate(reversed(layers), start=1):
        factors |= dict.fromkeys(layer, decay**depth)
    return factors


def _weights_below_layers(encoder: nn.Module, stacked: set[nn.Parameter]) -> list[nn.Parameter]:
    """Weights that feed the layers: those registered before them, and all embeddings.

    Some families keep embeddings of relative positions behind the layers.
    """
    tables = {
        parameter
        for module in encoder.modules()
        if isinstance(module, nn.Embedding)
        for parameter in module.parameters()
    }
    weights = list(encoder.parameters())
    lowest = min(place for place, weight in enumerate(weights) if weight in stacked)
    return [
        weight
        for place, weight in enumerate(weights)
        if weight not in stacked and (place < lowest or weight in tables)
    ]


def _layers(encoder: nn.Module) -> nn.ModuleList:
    try:
        return encoder_layers.layer_stack(encoder)
    except EncoderError as error:
        raise EncoderError(
            error.what,
            seen=error.seen,
            where="layer_decay in params.yaml",
            fix="set layer_decay to 1.0",
        ) from None
