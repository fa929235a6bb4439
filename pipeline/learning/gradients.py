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
        self._workers = workers
        self._sums: list[Gradient] = [None] * len(weights)
        self._tables: dict[int, Tensor] = {}  # gradient of a whole embedding by place
        self._touched: dict[int, tuple[Tensor, Tensor]] = {}  # rows and their gradients

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
        """The sums, each of its weight's shape; valid until `clear`."""
        for place, gradient in enumerate(self._sums):
            if gradient is not None and gradient.is_sparse:
                self._sums[place] = self._spread(place, gradient.coalesce())
        return self._sums

    def clip(self, most: float) -> Tensor:
        """Scale what was collected so that its norm is at most `most`; the norm before, a scalar.

        As `torch.nn.utils.clip_grad_norm_` does it, but of an embedding only touched rows.
        """
        found = [values for _, values in self._touched.values()]
        found += [
            gradient
            for place, gradient in enumerate(self._sums)
            if gradient is not None and place not in self._touched
        ]
        norm = torch.nn.utils.get_total_norm(found)
        torch._foreach_mul_(found, (most / (norm + 1e-6)).clamp(max=1.0))
        for place, (rows, values) in self._touched.items():
            self._tables[place].index_copy_(0, rows, values)
        return norm

    def clear(self) -> None:
        """Forget the sums."""
        for place, (rows, _) in self._touched.items():
            self._tables[place].index_fill_(0, rows, 0.0)
        self._touched.clear()
        self._sums = [None] * len(self._sums)

    def _spread(self, place: int, gradient: Tensor) -> Tensor:
        """A whole table with the touched rows in it; the table is kept, most of it stays zero."""
        rows, values = gradient.indices()[0], gradient.values()
        if place not in self._tables:
            self._tables[place] = torch.zeros(gradient.shape, dtype=gradient.dtype)
        self._tables[place].index_copy_(0, rows, values)
        self._touched[place] = rows, values
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


def _sum(parts: Sequence[Gradient]) -> Gradient:
    """Sum in the order given; of tables by rows still by rows."""
    total: Gradient = None
    for part in parts:
        if total is None:
            total = part
        elif part is not None:
            total = part + total if total.is_sparse and not part.is_sparse else total + part
    return total
