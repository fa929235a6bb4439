"""Attention that returns its probabilities as they are before dropout, for feature distillation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from pipeline.errors import EncoderError
from pipeline.model import padding

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SHOWN = "mtdnnkd_shown"  # in transformers' registry
Drop = Callable[[Tensor, float], Tensor]


def attend_shown(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    *,
    drop: Drop = nn.functional.dropout,
    **others: Any,
) -> tuple[Tensor, Tensor]:
    """softmax(Q K' scaling + mask) V, the probabilities dropped, as transformers calls it.

    The probabilities returned are those before dropout. The eager form of transformers returns
    them after it: a student that equals its teacher would then differ from it by chance.

    Args:
        module: the layer's attention.
        query: `(batch, heads, length, width)`, as key and value are.
        key: as the query.
        value: as the query.
        attention_mask: added to the scores, broadcast to `(batch, heads, length, length)`; None
            where there is no padding.
        dropout: rate of the probabilities.
        scaling: factor on the scores; None for 1 / sqrt(width).
        drop: the dropout.
        others: further arguments of transformers.

    Returns:
        `(batch, length, heads, width)`, and the probabilities `(batch, heads, length, length)`.

    Raises:
        EncoderError: the encoder's attention is more than softmax(Q K' scaling + mask) V.
    """
    if more_than_plain(module, key, query, attention_mask, others | {"output_attentions": None}):
        raise EncoderError(
            "this encoder's attention has terms of its own and cannot be shown",
            seen=type(module).__name__,
            where="distillation.features.attention in params.yaml",
            fix="set it to null",
        )
    weights = probabilities(query, key, attention_mask, scaling)
    return attended(weights, value, dropout, drop), weights


def show(encoder: PreTrainedModel) -> bool:
    """Let an encoder return its attention's probabilities; False if it cannot.

    One that does not take its attention from transformers' registry, such as DeBERTa, has none
    but its eager form, whose probabilities are those after dropout.
    """
    padding.register(SHOWN, attend_shown)
    if encoder.config._attn_implementation != SHOWN:
        encoder.set_attn_implementation(SHOWN)
    return encoder.config._attn_implementation in (SHOWN, "eager")


def probabilities(query: Tensor, key: Tensor, mask: Tensor | None, scaling: float | None) -> Tensor:
    """softmax(Q K' scaling + mask), `(batch, heads, length, length)`."""
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    scores = torch.matmul(query * scale, key.transpose(2, 3))
    if mask is not None:
        scores.add_(_within(mask, scores.dtype))
    return torch.softmax(scores, -1)


def attended(weights: Tensor, value: Tensor, dropout: float, drop: Drop) -> Tensor:
    """Means of the values `(batch, length, heads, width)`, by weights that `drop` drops."""
    kept = drop(weights, dropout)
    return torch.matmul(kept, value).transpose(1, 2).contiguous()


def more_than_plain(
    module: torch.nn.Module,
    key: Tensor,
    query: Tensor,
    mask: Tensor | None,
    others: dict[str, Any],
) -> bool:
    """Whether an encoder's call needs more than softmax(Q K' scaling + mask) V."""
    causal = others.get("is_causal")
    causal = getattr(module, "is_causal", True) if causal is None else causal
    terms = ("position_bias", "cache", "softcap")
    return (
        bool(causal)
        or key.shape[1] != query.shape[1]
        or (mask is not None and mask.dtype == torch.bool)
        or any(others.get(name) is not None for name in terms)
        or bool(others.get("output_attentions"))
    )


def _within(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """A mask whose lowest number is finite in a narrower type too.

    Padding may attend to nothing at all, where attention is local; NaN would spread from there.
    """
    if mask.dtype == dtype:
        return mask
    return mask.clamp(min=torch.finfo(dtype).min / 2)  # half, for what the scores add
