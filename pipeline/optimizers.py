"""Optimizer, learning-rate schedule and what is exempt from weight decay."""

from __future__ import annotations

import torch
from torch import nn

from pipeline.params.sections import Training


def build(model: nn.Module, settings: Training, device: str) -> torch.optim.Optimizer:
    """AdamW or Adamax over the model's weights; biases and norms are not decayed."""
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    decayed = [parameter for parameter in weights if parameter.ndim >= 2]
    exempt = [parameter for parameter in weights if parameter.ndim < 2]
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": exempt, "weight_decay": 0.0},
    ]
    if settings.optimizer == "adamax":
        return torch.optim.Adamax(groups, lr=settings.learning_rate)
    fused = device.partition(":")[0] in {"cpu", "cuda", "mps"}
    return torch.optim.AdamW(groups, lr=settings.learning_rate, fused=fused)


def rate(step: int, steps: int, settings: Training) -> float:
    """Learning rate of a step: linear rise over the warm-up, then linear fall to 0.

    Args:
        step: number of the step, from 0.
        steps: number of all steps.
        settings: highest rate and share of warm-up steps.
    """
    rising = settings.warmup * steps
    if step < rising:
        return settings.learning_rate * (step + 1) / (rising + 1)
    return settings.learning_rate * (steps - step) / max(1.0, steps - rising)
