"""Make a new head of any kind; its kind does not change the weights that are drawn after it."""

from __future__ import annotations

import torch

from pipeline.model.heads.base import HEADS, Head
from pipeline.model.heads.linear import PooledLinear
from pipeline.params.heads.base import HeadSettings
from pipeline.tasks import Task


def build(width: int, task: Task, settings: HeadSettings) -> Head:
    """A new head.

    Args:
        width: of the encoder's vectors.
        task: decides the outputs.
        settings: of any kind of head.
    """
    return HEADS[settings.kind](width, task, settings)


def draw(width: int, task: Task, settings: HeadSettings) -> Head:
    """A new head whose kind does not change the weights that are drawn after it.

    A linear head draws from torch's generator. A head of another kind draws from a generator of its
    own, which torch's seeds, and torch's is moved on by as much as a linear head takes.
    """
    if settings.kind == "linear":
        return build(width, task, settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**62, ())))
        head = build(width, task, settings)
    PooledLinear(width, task.outputs, "mean", 0.0)  # moves the generator on
    return head
