"""The matrix products of a training step without the rest, at the model's shapes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.planning.encoder_shapes import Shape


class Linear(NamedTuple):
    """One linear layer's operands and results; T tokens, I inputs, O outputs."""

    inputs: Tensor  # (T, I)
    weight: Tensor  # (O, I)
    outputs: Tensor  # (T, O)
    gradient: Tensor  # of the outputs, (T, O)
    to_inputs: Tensor  # (T, I)
    to_weight: Tensor  # (O, I)

    def run(self) -> None:
        """Forward product, then those for the gradients of inputs and weight."""
        torch.mm(self.inputs, self.weight.T, out=self.outputs)
        torch.mm(self.gradient, self.weight, out=self.to_inputs)
        torch.mm(self.gradient.T, self.inputs, out=self.to_weight)


class Attention(NamedTuple):
    """One layer's attention; B rows times heads, L tokens, D units a head."""

    vectors: Tensor  # stand in for queries, keys, values and their gradients, (B, L, D)
    pairs: Tensor  # for scores, probabilities and their gradients, (B, L, L)
    to_vectors: Tensor
    to_pairs: Tensor

    def run(self) -> None:
        """Two forward products and their four backward ones."""
        for _ in range(2):  # scores; gradient of the probabilities
            torch.bmm(self.vectors, self.vectors.mT, out=self.to_pairs)
        for _ in range(2):  # weighted sum; gradient of the queries
            torch.bmm(self.pairs, self.vectors, out=self.to_vectors)
        for _ in range(2):  # gradients of keys and values
            torch.bmm(self.pairs.mT, self.vectors, out=self.to_vectors)


def products(shape: Shape, rows: int, length: int) -> list[Linear | Attention]:
    """All products of a step; every layer has operands of its own, as in a model."""
    operands: list[Linear | Attention] = []
    for _ in range(shape.layers):
        operands += [_linear(rows * length, *sizes) for sizes in _sizes(shape)]
        operands.append(_attention(rows * shape.heads, length, shape.hidden // shape.heads))
    return operands


def _sizes(shape: Shape) -> Iterator[tuple[int, int]]:
    yield from [(shape.hidden, shape.hidden)] * 4
    yield shape.hidden, shape.intermediate
    yield shape.intermediate, shape.hidden


def _linear(tokens: int, inputs: int, outputs: int) -> Linear:
    shapes = [(tokens, inputs), (outputs, inputs), (tokens, outputs)]
    return Linear(*(torch.randn(of) for of in (*shapes, shapes[2], shapes[0], shapes[1])))


def _attention(batch: int, length: int, units: int) -> Attention:
    vectors, pairs = (batch, length, units), (batch, length, length)
    return Attention(*(torch.randn(of) for of in (vectors, pairs, vectors, pairs)))
