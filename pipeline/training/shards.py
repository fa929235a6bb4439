"""Run the passes of a batch in shards on threads, and seed the dropout of each shard.

The loss is of the whole batch, so shards change only two things: the dropout masks, which are drawn
per shard, and the order in which gradients are added. Masks are seeded by run seed, step, batch,
shard and `Purpose.DROPOUT`, and the order is fixed, so neither depends on the thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from pipeline.model import batching, bfloat16
from pipeline.runtime.thread_pool import ThreadPool
from pipeline.training.gradients import Gradient
from pipeline.training.losses.objective import Outputs
from pipeline.training.random_streams import Purpose

if TYPE_CHECKING:
    from pipeline.model.tokenization import Tokens

Arrays = Mapping[str, np.ndarray]
Forward = Callable[[bool, Arrays], Outputs]
Seeding = Callable[..., AbstractContextManager[None]]


@dataclass(frozen=True)
class Shard:
    """Some rows of a batch.

    Attributes:
        inputs: returns the padded inputs, `(rows, length)` each.
        own: whether its rows are the batch's, not extra pairs of a head.
        words: seed of the masks of its pass.
    """

    inputs: Callable[[], Arrays]
    own: bool
    words: tuple[int, ...]


class ShardedPasses:
    """Passes of one training run.

    Args:
        weights: the weights whose gradients are taken.
        workers: the threads.
        shards: most shards of a batch.
        seed: seed of the run, for the masks.
        seeding: within `seeding(*words)` masks on a CPU depend on the words alone; None where
            torch draws them.
    """

    def __init__(
        self,
        weights: Sequence[Tensor],
        workers: ThreadPool,
        shards: int,
        seed: int,
        seeding: Seeding | None = None,
    ) -> None:
        self._weights, self._workers = weights, workers
        self._number, self._seed, self._seeding = shards, seed, seeding
        # Where torch draws the masks, as on a GPU, a pass is the same after a resume only if it is
        # seeded by its own words.
        self._one_by_one = seeding is None or any(one.device.type != "cpu" for one in weights)

    def of_rows(self, tokens: Tokens, batch: np.ndarray, step: int, place: int) -> list[Shard]:
        """Shards of some rows, with about as many tokens each.

        Args:
            tokens: of all rows.
            batch: positions of the batch's rows `(batch,)`.
            step: number of the step.
            place: number of the batch in it.
        """
        return [
            Shard(partial(tokens.batch, part), True, self._words(step, place, number))
            for number, part in enumerate(batching.cut(tokens.lengths, batch, self._number))
        ]

    def of_inputs(self, inputs: Arrays, step: int, place: int) -> list[Shard]:
        """Shards of inputs `(rows, length)` that are padded already."""
        rows = len(next(iter(inputs.values())))
        bounds = np.linspace(0, rows, min(rows, self._number) + 1).astype(int).tolist()
        return [
            Shard(
                partial(_cut, inputs, slice(start, end)),
                False,
                self._words(step, place, self._number + number),
            )
            for number, (start, end) in enumerate(pairwise(bounds))
        ]

    def forward(self, run: Forward, shards: Sequence[Shard]) -> list[Outputs]:
        """Outputs of the model for every shard."""

        def one(shard: Shard) -> Outputs:
            with nullcontext() if self._seeding is None else self._seeding(*shard.words):
                return run(shard.own, shard.inputs())

        if not self._one_by_one:
            before = torch.get_rng_state()
            outputs = self._workers.map(one, shards)
            if torch.equal(before, torch.get_rng_state()):
                return outputs
            # The encoder draws from torch's own generator, which threads share. From now on, and
            # with one thread too, each shard draws its own.
            torch.set_rng_state(before)
            self._one_by_one = True
        return [_alone(one, shard) for shard in shards]

    def backward(
        self, outputs: Sequence[Outputs], upstream: Sequence[Sequence[Tensor]]
    ) -> list[tuple[Gradient, ...]]:
        """Gradients of all weights for every shard, float32 of weights in bfloat16.

        Args:
            outputs: those of `forward`.
            upstream: gradients of each one's tensors.
        """

        def one(pair: tuple[Outputs, Sequence[Tensor]]) -> tuple[Gradient, ...]:
            # One scalar whose gradients are those of upstream: for separate tensors torch would
            # import sympy for their shapes.
            products = [
                (tensor * gradient).sum()
                for tensor, gradient in zip(pair[0].tensors, pair[1], strict=True)
            ]
            total = torch.stack(products).sum()
            gradients = torch.autograd.grad(total, self._weights, allow_unused=True)
            return bfloat16.widened(gradients)

        pairs = list(zip(outputs, upstream, strict=True))
        return self._workers.map(one, pairs)

    def _words(self, step: int, place: int, shard: int) -> tuple[int, ...]:
        return self._seed, step, place, shard, int(Purpose.DROPOUT)


def _alone(one: Callable[[Shard], Outputs], shard: Shard) -> Outputs:
    """Run one pass alone, with torch's own generator seeded by the shard's words too."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(np.random.SeedSequence(shard.words).generate_state(1)[0]))
        return one(shard)


def _cut(inputs: Arrays, rows: slice) -> Arrays:
    return {name: array[rows] for name, array in inputs.items()}
