"""Attention of our own: with masks drawn as all others are, and with probabilities that show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pipeline.errors import EncoderError
from pipeline.models import dropout as masks

if TYPE_CHECKING:
    from transformers import PreTrainedModel

NAME, SHOWN = "mtdnnkd", "mtdnnkd_shown"  # in transformers' registry
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
    return _attended(_probabilities(query, key, attention_mask, scaling), value, dropout), None


def attend_shown(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **others: Any,
) -> tuple[Tensor, Tensor]:
    """As `attend`, with the probabilities `(batch, heads, length, length)` before dropout.

    The eager form of transformers gives them after it: those of a student that is its teacher
    would then differ from the teacher's by chance.

    Raises:
        EncoderError: the encoder's attention is more than softmax(Q K' scaling + mask) V.
    """
    if _more_than_plain(module, key, query, attention_mask, others | {"output_attentions": None}):
        raise EncoderError(
            "this encoder's attention has terms of its own and cannot be shown",
            seen=type(module).__name__,
            where="distillation.internals.attention in params.yaml",
            mend="set it to null",
        )
    probabilities = _probabilities(query, key, attention_mask, scaling)
    return _attended(probabilities, value, dropout), probabilities


def show(encoder: PreTrainedModel) -> bool:
    """Let an encoder give its attention's probabilities; False if it cannot.

    One that does not take its attention from transformers' registry, such as DeBERTa, has none
    but its eager form, whose probabilities are those after dropout.
    """
    _register()
    if encoder.config._attn_implementation != SHOWN:
        encoder.set_attn_implementation(SHOWN)
    return encoder.config._attn_implementation in (SHOWN, "eager")


def _probabilities(
    query: Tensor, key: Tensor, mask: Tensor | None, scaling: float | None
) -> Tensor:
    """softmax(Q K' scaling + mask), `(batch, heads, length, length)`."""
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    scores = torch.matmul(query * scale, key.transpose(2, 3))
    if mask is not None:
        scores.add_(_within(mask, scores.dtype))
    return torch.softmax(scores, -1)


def _attended(probabilities: Tensor, value: Tensor, dropout: float) -> Tensor:
    """Means of the values `(batch, length, heads, width)`, by probabilities that are dropped."""
    kept = masks.drop(probabilities, dropout)
    return torch.matmul(kept, value).transpose(1, 2).contiguous()


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


def _within(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """A mask whose lowest number is finite in a narrower type too.

    Padding may attend to nothing at all, where attention is local; NaN would spread from there.
    """
    if mask.dtype == dtype:
        return mask
    return mask.clamp(min=torch.finfo(dtype).min / 2)  # half, for what the scores add


def _register() -> None:
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import eager_mask

    for name, function in ((NAME, attend), (SHOWN, attend_shown)):
        AttentionInterface.register(name, function)
        AttentionMaskInterface.register(name, eager_mask)  # a mask to be added
