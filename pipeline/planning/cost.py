"""Model the cost of training and scoring: floating-point operations, memory and time.

The model is analytic and counts the encoder's layers. Embeddings are looked up, not multiplied.
Heads are left out: a linear head is one product per row, and a SAN head of five steps costs as much
as two or three more tokens per row in a single layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.planning.devices import Device, Precision
from pipeline.planning.encoder_shapes import Shape

BACKWARD = 2
"""Operations of the backward pass for each one of the forward pass: two products for one."""
HOST = 1.5e-3
"""Seconds that PyTorch takes to issue forward and backward pass of one layer, however small its
tensors: 24 layers more of eight units cost that on the CPU of `devices`. A device that is done
sooner waits."""
START = 5.0
"""Seconds in which a process imports its libraries and loads an encoder."""
TRAFFIC: Mapping[str, int] = {"adamw": 40, "adamax": 88}
"""Bytes read and written for each weight in one step: clipping (12 bytes) and the update, which
is one kernel for AdamW (28) and one for each operation for Adamax."""
STATES = 2
"""Numbers that both optimizers keep for each weight."""
KEPT_WIDTH: Mapping[str, int] = {"float32": 40, "bfloat16": 34, "float16": 34}
"""Bytes that a layer keeps for its backward pass, for each token and unit of width: inputs of the
products, of the norms (float32 at any precision) and dropout masks of 4 bytes."""
KEPT_INNER: Mapping[str, int] = {"float32": 8, "bfloat16": 4, "float16": 4}
"""The same for each unit of the feed-forward part: input and output of its activation. Both were
counted with saved-tensor hooks on the CPU; a GPU's masks are smaller by 6 bytes a unit of width."""
KEPT_ATTENTION = 12
"""Bytes kept for each pair of tokens and attention head where attention is not one kernel."""
GIB = 2**30


class Load(NamedTuple):
    """Rows that pass through an encoder.

    Attributes:
        rows: number of rows.
        tokens: tokens of all rows, padding included.
        squares: sum of the squares of their lengths, on which attention's cost depends.
    """

    rows: float
    tokens: float
    squares: float

    def times(self, factor: float) -> Load:
        """The load of the same rows, `factor` times."""
        return Load(self.rows * factor, self.tokens * factor, self.squares * factor)

    def plus(self, other: Load) -> Load:
        """The load of these rows and others."""
        return Load(*(own + added for own, added in zip(self, other, strict=True)))


NOTHING = Load(0, 0, 0)


@dataclass(frozen=True)
class Training:
    """Training on the rows of one task.

    Attributes:
        load: all rows of all epochs.
        batches: forward and backward passes.
        steps: steps of the optimizer.
    """

    load: Load
    batches: float
    steps: float


@dataclass(frozen=True)
class Memory:
    """Bytes of one process.

    Attributes:
        weights: float32 weights, and those of a teacher whose inner states are matched.
        gradients: one float32 a weight.
        optimizer: the optimizer's states.
        activations: kept for the backward pass of a batch of the longest rows, or in flight.
        overhead: all that is not tensors.
    """

    weights: float
    gradients: float
    optimizer: float
    activations: float
    overhead: float

    @property
    def total(self) -> float:
        """Sum of all parts."""
        return self.weights + self.gradients + self.optimizer + self.activations + self.overhead


def forward(shape: Shape, load: Load) -> float:
    """FLOP of one forward pass.

    A weight that multiplies a token costs 2. Attention costs, for each pair of tokens, 2 for the
    scores and 2 for the weighted sum, each times the width.
    """
    return shape.layers * (2 * shape.products * load.tokens + 4 * shape.hidden * load.squares)


def training(shape: Shape, load: Load) -> float:
    """FLOP of forward and backward passes."""
    return (1 + BACKWARD) * forward(shape, load)


def seconds_of_training(
    shape: Shape,
    work: Training,
    weights: float,
    optimizer: str,
    device: Device,
    precision: Precision,
) -> float:
    """Seconds that training on one task's rows takes.

    Args:
        shape: the encoder.
        work: rows, batches and steps.
        weights: number of weights that the optimizer changes.
        optimizer: adamw or adamax.
        device: what it runs on.
        precision: of the matrix products.
    """
    products = training(shape, work.load) / device.rate(precision)
    issued = work.batches * shape.layers * HOST
    updates = work.steps * weights * TRAFFIC[optimizer] / device.bandwidth
    return max(products, issued) + updates


def seconds_of_scoring(shape: Shape, load: Load, device: Device, precision: Precision) -> float:
    """Seconds of a forward pass over rows; batches are large, so only the products count."""
    return forward(shape, load) / device.rate(precision)


def activations(
    shape: Shape,
    rows: float,
    length: int,
    precision: Precision,
    fused: bool,
    layers: int | None = None,
) -> float:
    """Bytes of activations of a batch of rows of one length.

    Args:
        shape: the encoder.
        rows: rows of the batch.
        length: tokens of each row.
        precision: of the matrix products; at 16 bits a copy of the weights is kept as well.
        fused: whether attention is one kernel that does not keep its probabilities.
        layers: layers that keep theirs; None for all.
    """
    kept: float = KEPT_WIDTH[precision] * shape.hidden + KEPT_INNER[precision] * shape.intermediate
    if not fused:
        kept += KEPT_ATTENTION * shape.heads * length
    number = shape.layers if layers is None else layers
    copies = 0 if precision == "float32" else 2 * shape.layers * shape.products
    return number * kept * rows * length + copies
