"""Attention whose dropout is drawn as the other masks are; torch's own is slow on a CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pipeline.models import dropout as masks

if TYPE_CHECKING:
    from transformers import PreTrainedModel

NAME = "mtdnnkd"  # in transformers' registry
_REPLACED = "sdpa"


@contextmanager
def replaced(encoder: PreTrainedModel) -> Iterator[None]:
    """Within the block an encoder with scaled-dot-product attention on a CPU uses `attend`.

    Other devices have fused kernels with dropout of their own, and encoders that do not take
    their attention from transformers' registry keep theirs.
    """
    if encoder.device.type != "cpu" or encoder.config._attn_implementation != _REPLACED:
        yield
        return
    _register()
    encoder.set_attn_implementation(NAME)
    try:
        yield
    finally:
        encoder.set_attn_implementation(_REPLACED)


def attend(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """softmax(Q K' scaling + mask) V, the probabilities dropped, as transformers calls it.

    Args:
        module: the layer's attention.
        query: `(batch, heads, length, width)`, as key and value are.
        key: as the query.
        value: as the query.
        attention_mask: added to the scores, broadcast to `(batch, heads, length, length)`; None
            where there is no padding.
        dropout: rate of the probabilities.
        scaling: factor on the scores; None for 1 / sqrt(width).
        others: what transformers hands on besides; without dropout, or for more than a plain
            encoder needs, its own function takes over.

    Returns:
        `(batch, length, heads, width)`, and no probabilities.
    """
    if not dropout or _more_than_plain(module, key, query, attention_mask, others):
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        given: Any = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout, scaling, **others
        )
        return given[0], None
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    scores = torch.matmul(query * scale, key.transpose(2, 3))
    if attention_mask is not None:
        scores.add_(within(attention_mask, scores.dtype))
    kept = masks.drop(torch.softmax(scores, -1), dropout)
    return torch.matmul(kept, value).transpose(1, 2).contiguous(), None


def _more_than_plain(
    module: torch.nn.Module,
    key: Tensor,
    query: Tensor,
    mask: Tensor | None,
    others: dict[str, Any],
) -> bool:
    causal = others.get("is_causal")
    causal = getattr(module, "is_causal", True) if causal is None else causal
    asked = ("position_bias", "cache", "softcap")
    return (
        bool(causal)
        or key.shape[1] != query.shape[1]
        or (mask is not None and mask.dtype == torch.bool)
        or any(others.get(name) is not None for name in asked)
        or bool(others.get("output_attentions"))
    )


def within(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """A mask whose lowest number is finite in a narrower type too.

    Padding may attend to nothing at all, where attention is local; NaN would spread from there.
    """
    if mask.dtype == dtype:
        return mask
    return mask.clamp(min=torch.finfo(dtype).min / 2)  # half, for what the scores add


def _register() -> None:
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import eager_mask

    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, eager_mask)  # a mask to be added
