"""A BERT whose head reads the mean of the tokens, as transformers and TextBrewer call a model."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from transformers.modeling_outputs import SequenceClassifierOutput


class MeanPooled(nn.Module):
    """Encoder, mean of its tokens, dropout and one linear layer.

    Args:
        encoder: a BERT without pooler.
        classes: number of classes.
        dropout: before the linear layer.
    """

    def __init__(self, encoder: Any, classes: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(encoder.config.hidden_size, classes)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> SequenceClassifierOutput:
        """Float32 logits `(batch, classes)`, and the mean cross-entropy where there are labels.

        Args:
            input_ids: `(batch, length)`, as the two others.
            attention_mask: 0 for padding.
            token_type_ids: segments.
            labels: classes `(batch,)`.
        """
        encoded = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        )
        tokens = encoded.last_hidden_state
        weights = attention_mask.to(tokens.dtype).unsqueeze(-1)
        mean = (tokens * weights).sum(1) / weights.sum(1)
        logits = self.classifier(self.dropout(mean)).float()
        loss = None if labels is None else nn.functional.cross_entropy(logits, labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)
