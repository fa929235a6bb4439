"""Gradients of a step: summed over the shards of its batches in a fixed order, then clipped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pipeline.workers import Workers

Gradient = Tensor | None
LARGE_TABLE = 4096
"""Rows of an embedding of which a batch touches few: its gradient is kept by touched rows."""


class Gradients:
    """What a step's passes add up to.

    Args:
        weights: what is trained, in a fixed order.
        workers: threads that share the sums out; how many there are does not change a bit.
    """

    def __init__(self, weights: Sequence[nn.Parameter], workers: Workers) -> None:
        self._weights, self._workers = weights, workers
        self._sums: list[Gradient] = [None] * len(weights)
        self._tables: dict[int, Tensor] = {}  # gradient of a whole embedding by place
        self._touched: dict[int, Tensor] = {}  # the rows of it that are not zero

    def add(self, parts: Sequence[Sequence[Gradient]]) -> None:
        """Add the gradients of some passes, in their order.

        Args:
            parts: of every pass, the gradient of every weight; None for a weight without any.
        """
        places = range(len(self._sums))
        groups = [places[start :: self._workers.threads] for start in range(self._workers.threads)]

        def add(group: Sequence[int]) -> None:
            for place in group:
                new = [part[place] for part in parts]
                self._sums[place] = _sum([self._sums[place], *new])

        self._workers.map(add, groups)

    def collect(self) -> list[Gradient]:
        """The sums, each in its weight's shape and layout; valid until `clear`."""
        taken: set[int] = set()
        for place, gradient in enumerate(self._sums):
            if gradient is None:
                continue
            if gradient.is_sparse:
                self._sums[place] = self._spread(place, gradient.coalesce())
            else:
                self._sums[place] = _owned(gradient, self._weights[place], taken)
        return self._sums

    def clip(self, most: float) -> Tensor:
        """Scale what was collected so that its norm is at most `most`; the norm before, a scalar.

        As `torch.nn.utils.clip_grad_norm_` does it, but of an embedding only touched rows.
        """
        # Of the tables as they are now: a scaler may have changed them since they were collected.
        by_rows = {
            place: self._tables[place].index_select(0, rows)
            for place, rows in self._touched.items()
        }
        found = [*by_rows.values()]
        found += [
            gradient
            for place, gradient in enumerate(self._sums)
            if gradient is not None and place not in by_rows
        ]
        norm = torch.nn.utils.get_total_norm(found)
        torch._foreach_mul_(found, (most / (norm + 1e-6)).clamp(max=1.0))
        for place, values in by_rows.items():
            self._tables[place].index_copy_(0, self._touched[place], values)
        return norm

    def clear(self) -> None:
        """Forget the sums."""
        for place, rows in self._touched.items():
            self._tables[place].index_fill_(0, rows, 0.0)
        self._touched.clear()
        self._sums = [None] * len(self._sums)

    def _spread(self, place: int, gradient: Tensor) -> Tensor:
        """A whole table with the touched rows in it; the table is kept, most of it stays zero."""
        rows, values = gradient.indices()[0], gradient.values()
        if place not in self._tables:
            self._tables[place] = torch.zeros_like(self._weights[place], requires_grad=False)
        self._tables[place].index_copy_(0, rows, values)
        self._touched[place] = rows
        return self._tables[place]


@contextmanager
def by_rows(model: nn.Module) -> Iterator[None]:
    """Within the block, gradients of a model's large embeddings on a CPU have touched rows only.

    A whole one is mostly zeros: for the 30,522 pieces of BERT's vocabulary filling, adding and
    clipping it takes longer than a small encoder's layer.
    """
    found = [
        module
        for module in model.modules()
        if isinstance(module, nn.Embedding)
        and module.num_embeddings >= LARGE_TABLE
        and module.weight.device.type == "cpu"
        and not module.sparse
    ]
    for module in found:
        module.sparse = True
    try:
        yield
    finally:
        for module in found:
            module.sparse = False


def _owned(gradient: Tensor, weight: Tensor, taken: set[int]) -> Tensor:
    """The gradient, copied where it cannot be changed in place or does not lie as the weight does.

    autograd may give one tensor for two weights, or a view of a single number for all of them.
    """
    memory = gradient.untyped_storage().data_ptr()
    if memory in taken or gradient.stride() != weight.stride():
        return torch.empty_like(weight, requires_grad=False).copy_(gradient)
    taken.add(memory)
    return gradient


def _sum(parts: Sequence[Gradient]) -> Gradient:
    """Sum in the order given; of tables by rows still by rows."""
    total: Gradient = None
    for part in parts:
        if total is None:
            total = part
        elif part is not None:
            total = part + total if total.is_sparse and not part.is_sparse else total + part
    return total
