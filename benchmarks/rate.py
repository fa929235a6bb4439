"""Matrix products alone: those of a training step at the model's shapes, and square ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from pipeline.planning.encoder_shapes import Shape

SQUARE = 2048


class Product(NamedTuple):
    """A product, or a batch of products, and the memory that it is written into."""

    left: Tensor  # (..., M, K)
    right: Tensor  # (..., K, N)
    result: Tensor  # (..., M, N)

    @property
    def flops(self) -> int:
        """A multiplication and an addition for each number of the result and inner place."""
        return 2 * self.result.numel() * self.left.shape[-1]


Library = Callable[[Sequence[Product]], Callable[[], None]]
"""Makes of products the work of multiplying them."""


def by_torch(products: Sequence[Product]) -> Callable[[], None]:
    """Work that multiplies by the library that torch takes."""

    def multiply() -> None:
        for left, right, result in products:
            (torch.mm if left.ndim == 2 else torch.bmm)(left, right, out=result)

    return multiply


def by_numpy(products: Sequence[Product]) -> Callable[[], None]:
    """Work that multiplies float32 by numpy's library: OpenBLAS in its wheels."""
    arrays: list[list[Any]] = [[operand.numpy() for operand in product] for product in products]

    def multiply() -> None:
        for left, right, result in arrays:
            np.matmul(left, right, out=result)

    return multiply


def square(kind: torch.dtype) -> list[Product]:
    """One product of large square matrices."""
    return [Product(*(torch.randn(SQUARE, SQUARE).to(kind) for _ in range(3)))]


def step(shape: Shape, rows: int, length: int, kind: torch.dtype) -> list[Product]:
    """All products of a step; every layer has operands of its own, as in a model.

    Args:
        shape: the encoder.
        rows: rows of the batch.
        length: tokens of each row.
        kind: type of the numbers.
    """
    products: list[Product] = []
    for _ in range(shape.layers):
        for inputs, outputs in _sizes(shape):
            products += _linear(rows * length, inputs, outputs, kind)
        products += _attention(rows * shape.heads, length, shape.hidden // shape.heads, kind)
    return products


def _sizes(shape: Shape) -> Iterator[tuple[int, int]]:
    yield from [(shape.hidden, shape.hidden)] * 4
    yield shape.hidden, shape.intermediate
    yield shape.intermediate, shape.hidden


def _linear(tokens: int, inputs: int, outputs: int, kind: torch.dtype) -> list[Product]:
    """Forward product, then those for the gradients of inputs and weight."""
    read, weight, gradient, written, to_read, to_weight = (
        torch.randn(size).to(kind)
        for size in (
            *((tokens, inputs), (outputs, inputs), (tokens, outputs)),
            *((tokens, outputs), (tokens, inputs), (outputs, inputs)),
        )
    )
    return [
        Product(read, weight.mT, written),
        Product(gradient, weight, to_read),
        Product(gradient.mT, read, to_weight),
    ]


def _attention(batch: int, length: int, units: int, kind: torch.dtype) -> list[Product]:
    """Two forward products and their four backward ones; batch is rows times heads."""
    vectors, to_vectors = torch.randn(2, batch, length, units).to(kind)
    pairs, to_pairs = torch.randn(2, batch, length, length).to(kind)
    return [
        *[Product(vectors, vectors.mT, to_pairs)] * 2,  # scores; gradient of the probabilities
        *[Product(pairs, vectors, to_vectors)] * 2,  # weighted sum; gradient of the queries
        *[Product(pairs.mT, vectors, to_vectors)] * 2,  # gradients of keys and values
    ]
