"""MT-DNN: one shared encoder and one head a task (arXiv 1901.11504, section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from pipeline.errors import EncoderError
from pipeline.params import sections
from pipeline.tasks import Task

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Head(nn.Module):
    """Dropout and one linear layer on a vector that stands for the whole row.

    Classification: `softmax(W x)` of Eq. 1, regression: `w x` of Eq. 2; the softmax is left to
    the loss.
    """

    def __init__(self, width: int, outputs: int, settings: sections.Head) -> None:
        super().__init__()
        self.pooling = settings.pooling
        self.dropout = nn.Dropout(settings.dropout)
        self.linear = nn.Linear(width, outputs)
        nn.init.normal_(self.linear.weight, std=0.02)
        nn.init.zeros_(self.linear.bias)

    def forward(self, tokens: Tensor, pooled: Tensor | None, mask: Tensor) -> Tensor:
        """Logits `(batch, outputs)` of token vectors `(batch, length, width)`."""
        vector = _pool(self.pooling, tokens, pooled, mask)
        logits: Tensor = self.linear(self.dropout(vector))
        return logits


class MultiTaskModel(nn.Module):
    """Shared encoder with one head for each task; a batch belongs to one task.

    Raises:
        EncoderError: the head pools by the encoder's own pooler and it has none.
    """

    def __init__(
        self, encoder: PreTrainedModel, tasks: Mapping[str, Task], head: sections.Head
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.tasks = dict(tasks)
        has_pooler = getattr(encoder, "pooler", None) is not None
        if head.pooling == "pooler" and not has_pooler:
            raise EncoderError(
                "this encoder has no trained pooler",
                seen=type(encoder).__name__,
                where="head.pooling in params.yaml",
                mend="set it to mean or cls",
            )
        if head.pooling != "pooler" and has_pooler:
            setattr(encoder, "pooler", None)  # noqa: B010, it would be saved and counted unused
        width = encoder.config.hidden_size
        # Sorted, so that the first weights do not hang on the order of params.yaml.
        self.heads = nn.ModuleDict(
            {_key(name): Head(width, tasks[name].outputs, head) for name in sorted(tasks)}
        )

    def forward(self, task: str, inputs: Mapping[str, Tensor]) -> Tensor:
        """Logits `(batch, outputs)` of one task's rows."""
        encoded = self.encoder(**inputs)
        pooled = getattr(encoded, "pooler_output", None)
        logits: Tensor = self.head(task)(
            encoded.last_hidden_state, pooled, inputs["attention_mask"]
        )
        return logits

    def head(self, task: str) -> Head:
        """The head of one task."""
        head: Head = self.heads[_key(task)]  # type: ignore[assignment]
        return head

    def parameter_count(self) -> int:
        """Number of weights of the encoder and all heads."""
        return sum(parameter.numel() for parameter in self.parameters())


def start_at_mean(model: MultiTaskModel, task: str, mean: float) -> None:
    """Let a regression head start at the mean score instead of learning its way up from 0."""
    with torch.no_grad():
        model.head(task).linear.bias.fill_(mean)


def _key(task: str) -> str:
    """A task may have a name that a module dict keeps for itself, such as `values`."""
    return f"head_{task}"


def _pool(pooling: str, tokens: Tensor, pooled: Tensor | None, mask: Tensor) -> Tensor:
    if pooling == "cls":
        return tokens[:, 0]
    if pooling == "pooler":
        assert pooled is not None, "the model's constructor has checked it"
        return pooled
    weights = mask.to(tokens.dtype).unsqueeze(-1)
    return (tokens * weights).sum(1) / weights.sum(1)
