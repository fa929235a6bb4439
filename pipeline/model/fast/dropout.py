"""Dropout whose masks are drawn fast, in parallel, and from named seeds.

On a CPU torch's own draws take a sixth of a training step of a small encoder; these take a
fortieth. A random 16-bit number is compared with a threshold; the threshold itself is drawn
between its two nearest integers, so that every unit is dropped at exactly its rate.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.random import SFC64, Generator
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from pipeline.model.heads.base import Uniform as TorchUniform

_LEVELS = 2**16
_DRAWS_PER_WORD = 4  # 16-bit numbers in one 64-bit draw
_ALL_BITS = 2**64 - 1


class _Source(threading.local):
    """Each thread's own source of random numbers; None where torch's is to be used."""

    generator: Generator | None = None


_source = _Source()


@contextmanager
def seeded(*words: int) -> Iterator[None]:
    """Within the block, masks that this thread draws on a CPU depend on the words alone."""
    before = _source.generator
    _source.generator = Generator(SFC64(words))
    try:
        yield
    finally:
        _source.generator = before


def drop(values: Tensor, rate: float) -> Tensor:
    """Values with some of them zero and the rest scaled by 1 / (1 - rate).

    Outside `seeded`, and on any device but a CPU, torch's own dropout does it.

    Args:
        values: any shape.
        rate: chance of each value to be dropped, at least 0 and below 1.
    """
    generator = _source.generator
    if rate == 0:
        return values
    if generator is None or values.device.type != "cpu":
        return nn.functional.dropout(values, rate)
    kept = keep(tuple(values.shape), rate, generator)
    dropped: Tensor = _Dropped.apply(values, kept, 1 / (1 - rate))  # type: ignore[no-untyped-call]
    return dropped


def keep(shape: tuple[int, ...], rate: float, generator: Generator) -> np.ndarray:
    """Mask of the units that are kept, bool of the shape; each is dropped with chance `rate`.

    Args:
        shape: of the units.
        rate: chance of each unit to be dropped.
        generator: source of the draws.
    """
    number = int(np.prod(shape))
    # Not `random_raw`: it makes the other threads wait.
    words = generator.integers(
        _ALL_BITS, size=-(-number // _DRAWS_PER_WORD), dtype=np.uint64, endpoint=True
    )
    drawn = words.view(np.uint16)[:number]
    threshold, rest = divmod(rate * _LEVELS, 1)
    kept: np.ndarray = drawn >= int(threshold) + (generator.random() < rest)
    return kept.reshape(shape)


class Dropout(nn.Dropout):
    """`nn.Dropout` that draws as `drop` does."""

    def forward(self, values: Tensor) -> Tensor:
        """The values, dropped while training."""
        return drop(values, self.p) if self.training else values


class Uniform(TorchUniform):
    """Numbers in [0, 1) from the source that masks come from."""

    def forward(self, shape: tuple[int, ...], device: torch.device) -> Tensor:
        """Float32 of the shape."""
        generator = _source.generator
        if generator is None or device.type != "cpu":
            return super().forward(shape, device)
        return torch.from_numpy(generator.random(shape, np.float32))


@contextmanager
def replaced(model: nn.Module) -> Iterator[None]:
    """Within the block, dropout and the heads' random numbers come from `seeded`."""
    children = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent._modules.items()  # a child under each of its names
        if child is not None and type(child) in (nn.Dropout, TorchUniform)
    ]
    for parent, name, child in children:
        fast = Dropout(child.p) if isinstance(child, nn.Dropout) else Uniform()
        setattr(parent, name, fast.train(child.training))
    try:
        yield
    finally:
        for parent, name, child in children:
            mode = getattr(parent, name).training
            setattr(parent, name, child.train(mode))


class _Dropped(torch.autograd.Function):
    """Multiplication by a mask: numpy's by bool is ten times as fast as torch's."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, kept: np.ndarray, scale: float) -> Tensor:
        ctx.kept, ctx.scale = kept, scale
        return _masked(values, kept, scale)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _masked(gradient, ctx.kept, ctx.scale), None, None


def _masked(values: Tensor, kept: np.ndarray, scale: float) -> Tensor:
    result = torch.empty(values.shape, dtype=values.dtype)  # torch's memory is aligned
    # numpy has no bfloat16; as an integer too, 0 is 0 and the rest keeps its bits.
    number = torch.int16 if values.dtype in (torch.bfloat16, torch.float16) else values.dtype
    np.multiply(values.view(number).numpy(), kept, out=result.view(number).numpy())
    return result.mul_(scale)
