"""Keep encoders from asking a device whether a batch is padded: the host would wait for a GPU.

transformers leaves out the attention mask of a batch without padding, which saves time, and looks
for padding by `attention_mask.all()`. On a GPU the answer waits until all that is queued has run.
Here the host looks at its own arrays: a batch without padding has no mask, and of any other the
mask is made unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pipeline.model.tokenization import TEXTS

if TYPE_CHECKING:
    import numpy as np
    from transformers import PreTrainedModel

    from pipeline.runtime.hardware import Hardware

SDPA = "mtdnnkd_sdpa"  # in transformers' registry
MASK = "attention_mask"
_MADE_HERE = {"mpnet"}  # makes its mask as others do, but takes no function from the registry


def on_device(arrays: Mapping[str, np.ndarray], machine: Hardware) -> dict[str, Tensor]:
    """Inputs of a pass on the machine's device; no mask where no row is padded.

    Args:
        arrays: as returned by `tokenization.Tokens.batch`.
        machine: the device.
    """
    return {
        name: machine.put(array)
        for name, array in arrays.items()
        if name != MASK or not array.all()
    }


def mask(inputs: Mapping[str, Tensor]) -> Tensor:
    """1 on tokens and 0 on padding, int64 `(batch, length)`, of inputs with or without a mask."""
    return inputs[MASK] if MASK in inputs else torch.ones_like(inputs["input_ids"])


def encoder_inputs(encoder: PreTrainedModel, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Inputs of a batch as the encoder takes them, without those that only the heads read."""
    taken = {name: value for name, value in inputs.items() if name != TEXTS}
    if encoder.config.model_type in _MADE_HERE:
        if MASK in taken:
            norm = encoder.get_submodule("embeddings.LayerNorm")
            taken[MASK] = _added(taken[MASK], next(norm.parameters()).dtype)
    elif encoder.config._attn_implementation == "eager":  # DeBERTa's looks for padding without one
        taken[MASK] = mask(inputs)
    return taken


def make_masks_unseen(encoder: PreTrainedModel) -> None:
    """Let an encoder with scaled-dot-product attention make its masks without looking at them."""
    if encoder.config._attn_implementation == "sdpa":
        from transformers.integrations.sdpa_attention import sdpa_attention_forward
        from transformers.masking_utils import sdpa_mask

        register(SDPA, sdpa_attention_forward, sdpa_mask)
        encoder.set_attn_implementation(SDPA)


def register(
    name: str, function: Callable[..., Any], make_mask: Callable[..., Any] | None = None
) -> None:
    """Let encoders whose configuration names it use an attention function.

    Args:
        name: in transformers' registries.
        function: the attention, called as transformers calls it.
        make_mask: makes the mask that it takes; one of numbers to be added unless given.
    """
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import eager_mask

    AttentionInterface.register(name, function)
    AttentionMaskInterface.register(name, _unseen(make_mask or eager_mask))


def _unseen(make: Callable[..., Tensor | None]) -> Callable[..., Tensor | None]:
    """A function that makes a mask of every batch that is given one."""

    def made(
        *, attention_mask: Tensor | None, allow_is_bidirectional_skip: bool = False, **others: Any
    ) -> Tensor | None:
        skip = allow_is_bidirectional_skip and attention_mask is None
        return make(attention_mask=attention_mask, allow_is_bidirectional_skip=skip, **others)

    return made


def _added(tokens: Tensor, dtype: torch.dtype) -> Tensor:
    """The mask as numbers to be added to scores `(batch, 1, 1, length)`: 0, or the lowest."""
    zero = torch.zeros((), dtype=dtype, device=tokens.device)
    return torch.where(tokens[:, None, None].bool(), zero, torch.finfo(dtype).min)
