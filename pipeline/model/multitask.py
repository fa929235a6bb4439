"""MT-DNN: one shared encoder and one head per task (arXiv 1901.11504, section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from pipeline.errors import EncoderError
from pipeline.model import padding
from pipeline.model.heads import build
from pipeline.model.heads.base import Encoded, Head
from pipeline.model.tokenization import TEXTS
from pipeline.params.heads.base import HeadSettings
from pipeline.tasks import Task

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class MultiTaskModel(nn.Module):
    """Shared encoder with one head for each task; a batch belongs to one task.

    Args:
        encoder: shared layers; its pooler is kept only if a head pools by it.
        tasks: by name.
        heads: settings of every task's head, by the same names.

    Raises:
        EncoderError: a head pools by the encoder's own pooler and it has none.

    Attributes:
        narrow: whether the encoder computes in bfloat16, as copies made by bfloat16.py do.
    """

    def __init__(
        self, encoder: PreTrainedModel, tasks: Mapping[str, Task], heads: Mapping[str, HeadSettings]
    ) -> None:
        super().__init__()
        self.narrow = False
        self.encoder = encoder
        self.tasks = dict(tasks)
        self.head_settings = {name: heads[name] for name in tasks}
        padding.make_masks_unseen(encoder)
        _settle_pooler(encoder, self.head_settings)
        width = encoder.config.hidden_size
        # Sorted, so that the first weights do not depend on the order of params.yaml.
        self.heads = nn.ModuleDict(
            {_key(name): build.draw(width, tasks[name], heads[name]) for name in sorted(tasks)}
        )

    def forward(self, task: str, inputs: Mapping[str, Tensor]) -> Tensor:
        """Logits `(batch, outputs)` of one task's rows.

        Args:
            task: whose head is used.
            inputs: as returned by `padding.on_device`.
        """
        return self._logits(
            task, inputs, self.encoder(**padding.encoder_inputs(self.encoder, inputs))
        )

    def forward_with_features(
        self, task: str, inputs: Mapping[str, Tensor], attentions: bool
    ) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Logits of one task's rows and the outputs of the encoder's layers.

        Args:
            task: whose head is used.
            inputs: as returned by `padding.on_device`.
            attentions: whether to return attention probabilities; call `attention.show` before, for
                other implementations do not keep them.

        Returns:
            Logits `(batch, outputs)`; the embeddings and every layer's output, each
            `(batch, length, width)`; every layer's attention probabilities, each
            `(batch, attention heads, length, length)`, or nothing if `attentions` is not set.

        Raises:
            EncoderError: the encoder returns no attention probabilities.
        """
        encoded = self.encoder(
            **padding.encoder_inputs(self.encoder, inputs),
            output_hidden_states=True,
            output_attentions=attentions,
        )
        maps = tuple(encoded.attentions or ()) if attentions else ()
        if attentions and (not maps or any(layer is None for layer in maps)):
            raise EncoderError(
                "this encoder gives no attention probabilities",
                seen=getattr(self.encoder.config, "_attn_implementation", None),
                where=type(self.encoder).__name__,
                fix="take attention out of distillation.features, or use another encoder",
            )
        return self._logits(task, inputs, encoded), tuple(encoded.hidden_states), maps

    def head(self, task: str) -> Head:
        """The head of one task."""
        head = self.heads[_key(task)]
        assert isinstance(head, Head)
        return head

    def parameter_count(self) -> int:
        """Number of weights of the encoder and all heads."""
        return sum(parameter.numel() for parameter in self.parameters())

    def _logits(self, task: str, inputs: Mapping[str, Tensor], encoded: Any) -> Tensor:
        tokens, pooled = encoded.last_hidden_state, getattr(encoded, "pooler_output", None)
        if self.narrow:  # heads compute in float32
            tokens, pooled = tokens.float(), None if pooled is None else pooled.float()
        logits: Tensor = self.head(task)(
            Encoded(tokens, pooled, padding.mask(inputs), inputs.get(TEXTS))
        )
        return logits


def _key(task: str) -> str:
    """A task may have a name that a module dict keeps for itself, such as `values`."""
    return f"head_{task}"


def _settle_pooler(encoder: Any, heads: Mapping[str, HeadSettings]) -> None:
    has_pooler = getattr(encoder, "pooler", None) is not None
    pooled = [name for name, head in heads.items() if head.uses_pooler]
    if pooled and not has_pooler:
        raise EncoderError(
            "this encoder has no trained pooler",
            seen=type(encoder).__name__,
            where=f"pooling of the head of {pooled[0]} in params.yaml",
            fix="set it to mean or cls",
        )
    if has_pooler and not pooled:
        encoder.pooler = None  # it would be saved and counted unused
