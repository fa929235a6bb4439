"""The encoder's last layer where a head reads nothing but its first token.

Of every other token the layer then gives only what the first one attends to. With one query the
projections of keys and values need not be made token by token either: q'(W h) = (W'q)'h, and the
sum of p (W h) is W times the sum of p h. Both are the same numbers as before, rounding aside.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from pipeline.errors import EncoderError
from pipeline.models import attention as own
from pipeline.models import dropout, encoders

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_KINDS = {"BertLayer", "CamembertLayer", "ElectraLayer", "RobertaLayer", "XLMRobertaLayer"}
_IMPLEMENTATIONS = {
    "eager",
    "sdpa",
    own.NAME,
    own.SHOWN,
}  # those whose masks have a number for each pair


class _Asked(threading.local):
    """Whether the pass of this thread reads the first token alone."""

    first: bool = False


_asked = _Asked()


@contextmanager
def first_token(alone: bool) -> Iterator[None]:
    """Within the block this thread's passes need the last layer's first token alone, or all."""
    before, _asked.first = _asked.first, alone
    try:
        yield
    finally:
        _asked.first = before


@contextmanager
def shortened(encoder: PreTrainedModel) -> Iterator[None]:
    """Within the block, passes that need one token of the last layer compute one.

    Encoders whose layers are not BERT's are left as they are.
    """
    layer = _last_of_bert(encoder)
    if layer is None or "forward" in vars(layer):  # shortened already, by the block around
        yield
        return
    layer.forward = partial(_forward, layer, layer.forward)
    try:
        yield
    finally:
        del layer.forward  # the instance's; its class has one


def _forward(layer: Any, whole: Any, states: Tensor, *given: Any, **named: Any) -> Tensor:
    """The layer's output `(batch, length, width)`, or `(batch, 1, width)` where that is enough."""
    mask, *others = given or (named.get("attention_mask"),)
    result: Tensor
    if _asked.first and _by_pair(mask) and all(other is None for other in others):
        attended = _attend(layer.attention.self, states, mask)
        attended = layer.attention.output(attended, states[:, :1])
        result = layer.feed_forward_chunk(attended)
    else:
        result = whole(states, *given, **named)
    return result


def _by_pair(mask: Any) -> bool:
    """Whether a mask has a number for each pair of tokens, or there is none."""
    return mask is None or (torch.is_tensor(mask) and mask.ndim == 4)


def _attend(attention: Any, states: Tensor, mask: Tensor | None) -> Tensor:
    """What the first token attends to, `(batch, 1, width)`.

    Args:
        attention: a layer's self-attention; its keys' bias adds the same to all scores of a row,
            which softmax does not see.
        states: what the layer reads `(batch, length, width)`.
        mask: added to the scores, or bool, `(batch or 1, 1, length or 1, length)`.
    """
    heads, width = attention.num_attention_heads, attention.attention_head_size
    query = _by_head(attention.query(states[:, 0]) * attention.scaling, heads)
    asked = torch.bmm(query, attention.key.weight.view(heads, width, -1)).transpose(0, 1)
    scores = torch.bmm(asked, states.transpose(1, 2))  # (batch, heads, length)
    shares = torch.softmax(_masked(scores, mask), -1).to(states.dtype)
    if attention.training:
        shares = dropout.drop(shares, attention.dropout.p)
    found = torch.bmm(shares, states).transpose(0, 1)  # (heads, batch, hidden)
    values: Tensor = torch.bmm(found, attention.value.weight.view(heads, width, -1).transpose(1, 2))
    # Dropped probabilities do not add up to 1.
    values = values + shares.sum(-1).t()[:, :, None] * attention.value.bias.view(heads, 1, width)
    return values.transpose(0, 1).reshape(len(states), 1, heads * width)


def _by_head(vectors: Tensor, heads: int) -> Tensor:
    """`(batch, heads * width)` as `(heads, batch, width)`."""
    return vectors.view(len(vectors), heads, -1).transpose(0, 1)


def _masked(scores: Tensor, mask: Tensor | None) -> Tensor:
    if mask is None:
        return scores
    row = mask[:, :, 0]  # of the first token: (batch or 1, 1, length)
    if row.dtype == torch.bool:
        return scores.masked_fill(~row, torch.finfo(scores.dtype).min)
    return scores + own.within(row, scores.dtype).to(scores.dtype)


def _last_of_bert(encoder: PreTrainedModel) -> Any:
    try:
        last: nn.Module = encoders.layer_stack(encoder)[-1]
    except EncoderError:
        return None
    known = (
        type(last).__name__ in _KINDS
        and type(last).__module__.startswith("transformers.models.")
        and encoder.config._attn_implementation in _IMPLEMENTATIONS
        and not getattr(encoder.config, "is_decoder", False)
    )
    return last if known else None
