"""Count the bytes that training needs when nothing is computed twice."""

from __future__ import annotations

from pipeline.planning.encoder_shapes import Shape

NUMBER = 4
"""Bytes of a float32."""
A_WEIGHT = 4
"""Numbers for each weight: itself, its gradient and AdamW's two."""
WIDE = 8
"""Numbers of a token that a layer keeps, each as wide as the model: input of queries, keys and
values; those three; input of attention's output; inputs of the feed-forward part and of both
norms, of which one is the feed-forward part's output with its residual."""
INNER = 2
"""The same as wide as the feed-forward part: input and output of its activation."""
MASKS = 2
"""Dropout masks of a token, a byte a unit."""
PAIR = 2 * NUMBER + 1
"""Bytes of a pair of tokens and head: attention's probabilities, those after dropout, the mask."""


def state(weights: int) -> int:
    """Bytes of weights, gradients and AdamW's states."""
    return weights * A_WEIGHT * NUMBER


def batch(shape: Shape, rows: int, length: int) -> int:
    """Bytes that one batch keeps for its backward pass, embeddings and head left out.

    layers x tokens x (4 x (8 x width + 2 x inner width) + 2 x width + 9 x heads x length).
    """
    token = NUMBER * (WIDE * shape.hidden + INNER * shape.intermediate) + MASKS * shape.hidden
    return shape.layers * rows * length * (token + PAIR * shape.heads * length)
