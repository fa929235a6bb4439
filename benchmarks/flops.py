"""Floating-point operations of the matrix products of a training step."""

from __future__ import annotations

from pipeline.planning.encoder_shapes import Shape

STEP = 3
"""Forward pass, and two products in the backward pass for each one of it."""


def linear(shape: Shape, tokens: int) -> int:
    """FLOP of all linear layers of an encoder in one step: 6 x weights x tokens."""
    return STEP * 2 * shape.layers * shape.products * tokens


def attention(shape: Shape, rows: int, length: int) -> int:
    """FLOP of attention in one step: 12 x layers x width x rows x length squared.

    Scores and weighted sum are 2 x width FLOP each for every pair of tokens.
    """
    return STEP * 4 * shape.layers * shape.hidden * rows * length**2


def step(shape: Shape, rows: int, length: int) -> int:
    """FLOP of one training step; embeddings, pooler and heads are not counted."""
    return linear(shape, rows * length) + attention(shape, rows, length)
