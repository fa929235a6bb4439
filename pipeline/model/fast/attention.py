"""Attention on a CPU: dropout masks from the fast dropout, and products that oneDNN does well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pipeline.model import attention as plain
from pipeline.model import padding
from pipeline.model.fast import dropout as masks
from pipeline.runtime import products

if TYPE_CHECKING:
    from transformers import PreTrainedModel

NAME, SHOWN = "mtdnnkd", "mtdnnkd_shown_fast"  # in transformers' registry
_REPLACED = {"sdpa": NAME, padding.SDPA: NAME, plain.SHOWN: SHOWN}
# torch's fused kernel multiplies blocks of 32 rows and sets oneDNN up for each: measured, two whole
# products take a third of its time at 64 tokens, and twice as much at 512.
_SHORT = 256  # tokens


@contextmanager
def replaced(encoder: PreTrainedModel) -> Iterator[None]:
    """Within the block an encoder on a CPU trains and scores by `attend`.

    It must have scaled-dot-product attention or attention that is shown. Other devices
    have fused kernels with dropout of their own, and encoders that do not take their attention
    from transformers' registry keep theirs.
    """
    before = encoder.config._attn_implementation
    if encoder.device.type != "cpu" or before not in _REPLACED:
        yield
        return
    padding.register(NAME, attend)
    padding.register(SHOWN, partial(plain.attend_shown, drop=masks.drop))
    encoder.set_attn_implementation(_REPLACED[before])
    try:
        yield
    finally:
        encoder.set_attn_implementation(before)


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
        others: further arguments of transformers; for more than a plain encoder needs, and without
            dropout where torch's fused kernel is as fast, its own function takes over.

    Returns:
        `(batch, length, heads, width)`, and no probabilities.
    """
    fused = not dropout and not (products.by_onednn(query) and query.shape[2] <= _SHORT)
    if fused or plain.more_than_plain(module, key, query, attention_mask, others):
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        outputs: Any = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout, scaling, **others
        )
        return outputs[0], None
    weights = plain.probabilities(query, key, attention_mask, scaling)
    return plain.attended(weights, value, dropout, masks.drop), None
