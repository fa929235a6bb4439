"""Sum and clip the gradients of a step: shards in a fixed tree, then batches in order."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pipeline.runtime.thread_pool import ThreadPool

Gradient = Tensor | None


class Gradients:
    """Sums of the gradients of a step's passes.

    Args:
        weights: the trained weights, in a fixed order.
        workers: threads that share the sums; their number does not change a bit.
    """

    def __init__(self, weights: Sequence[nn.Parameter], workers: ThreadPool) -> None:
        self._weights, self._workers = weights, workers
        self._sums: list[Gradient] = [None] * len(weights)

    def add(self, parts: Sequence[Sequence[Gradient]]) -> None:
        """Add the gradients of a batch: those of its passes in a tree, then to the batches before.

        Args:
            parts: of every pass, the gradient of every weight; None for a weight without any.
        """
        places = range(len(self._sums))
        groups = [places[start :: self._workers.threads] for start in range(self._workers.threads)]

        def add(group: Sequence[int]) -> None:
            for place in group:
                batch = tree_sum([part[place] for part in parts])
                self._sums[place] = _plus(self._sums[place], batch)

        self._workers.map(add, groups)

    def collect(self) -> list[Gradient]:
        """The sums, each in its weight's shape and layout; valid until `clear`."""
        taken: set[int] = set()
        for place, gradient in enumerate(self._sums):
            if gradient is not None:
                self._sums[place] = _owned(gradient, self._weights[place], taken)
        return self._sums

    def clip(self, most: float) -> Tensor:
        """Scale the sums so that their norm is at most `most`; returns the norm before, a scalar.

        As `torch.nn.utils.clip_grad_norm_` does it.
        """
        gradients = [gradient for gradient in self._sums if gradient is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        torch._foreach_mul_(gradients, (most / (norm + 1e-6)).clamp(max=1.0))
        return norm

    def clear(self) -> None:
        """Forget the sums."""
        self._sums = [None] * len(self._sums)


def _owned(gradient: Tensor, weight: Tensor, taken: set[int]) -> Tensor:
    """The gradient, copied where it cannot be changed in place or has another memory layout.

    autograd may give one tensor for two weights, or a view of a single number for all of them.
    """
    memory = gradient.untyped_storage().data_ptr()
    if memory in taken or gradient.stride() != weight.stride():
        return torch.empty_like(weight, requires_grad=False).copy_(gradient)
    taken.add(memory)
    return gradient


def tree_sum(parts: Sequence[Gradient]) -> Gradient:
    """Sum of adjacent pairs, of pairs of these, and so on; an odd one at the end is carried up.

    For five: ((s0 + s1) + (s2 + s3)) + s4. Parts 0 to 2^k - 1, the next 2^k and so on are subtrees:
    summed each by itself, on any thread, and then in a tree, they have the same bytes.

    Args:
        parts: at least one, all of one shape; None for a shard without a gradient, which counts as
            zero and keeps its place.
    """
    level = list(parts)
    while len(level) > 1:
        pairs = [_plus(*level[at : at + 2]) for at in range(0, len(level) - 1, 2)]
        level = [*pairs, *level[2 * len(pairs) :]]
    return level[0]


def _plus(one: Gradient, other: Gradient) -> Gradient:
    if one is None or other is None:
        return other if one is None else one
    return one + other
