"""Count the bytes that training needs when nothing is computed twice."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.job import Precision
from pipeline.planning.encoder_shapes import Shape

NUMBER: Mapping[Precision, int] = {"float32": 4, "bfloat16": 2}
"""Bytes of a number that a product reads or writes."""
STATE = 4 * 4
"""Bytes of each weight: itself, its gradient and AdamW's two, all float32."""
READ = 6
"""Numbers of a token that a layer's products read, each as wide as the model: input of queries,
keys and values; those three; input of attention's output; input of the feed-forward part."""
NORMED = 2 * 4
"""Bytes of the inputs of both norms, a unit of width: they are sums in float32."""
INNER = 2
"""Numbers as wide as the feed-forward part: input and output of its activation."""
MASKS = 2
"""Dropout masks of a token, a byte a unit."""


def state(shape: Shape, weights: int, precision: Precision) -> int:
    """Bytes of weights, gradients and AdamW's states, and of the layers' weights in bfloat16."""
    copies = 0 if precision == "float32" else NUMBER[precision] * shape.layers * shape.products
    return weights * STATE + copies


def batch(shape: Shape, rows: int, length: int, precision: Precision) -> int:
    """Bytes that one batch keeps for its backward pass, embeddings and head left out.

    layers x tokens x (width x (6 n + 10) + 2 n x inner width + (2 n + 1) x heads x length) with
    numbers of n bytes. For a pair of tokens and head these are attention's probabilities, those
    after dropout, and the mask.
    """
    number = NUMBER[precision]
    width = READ * number + NORMED + MASKS
    pair = 2 * number + 1
    token = width * shape.hidden + INNER * number * shape.intermediate
    return shape.layers * rows * length * (token + pair * shape.heads * length)
