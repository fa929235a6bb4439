"""SAN, the stochastic answer network, as head for pairs of texts (arXiv 1901.11504, section 3)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from pipeline.model.heads.base import HEADS, Encoded, Head, Uniform
from pipeline.params.heads import san
from pipeline.tasks import Task


@HEADS.register("san")
class SanHead(Head):
    """Answers in K steps, each of which reads the premise again, and averages the answers.

    Premise P is the first text, hypothesis H the second, both as vectors of their tokens without
    the special ones. Symbols as in section 3 of arXiv 1901.11504:

        s^0 = sum_j a_j H_j,               a = softmax(w1 H)
        x^k = sum_j b_j P_j,               b = softmax(s^(k-1) W2 P)
        s^k = GRU(s^(k-1), x^k)            for k = 1 .. K-1
        P^k = softmax(W3 [s^k; x^k; |s^k - x^k|; s^k * x^k])    (Eq. 3), for k = 0 .. K-1
        P   = mean of the P^k              (Eq. 4)

    The paper leaves x^0 open; here it is what s^0 reads, that is x^1. In training each step's
    prediction is left out of the mean by chance (stochastic prediction dropout), at least one
    stays. Unlike in the authors' code those that stay are averaged by their number, so that P
    adds up to 1.

    A text without tokens, because it is empty or was cut away, counts as the vector 0.
    """

    def __init__(self, width: int, task: Task, settings: san.SanHead) -> None:
        super().__init__()
        self.steps = settings.steps
        self.prediction_dropout = settings.prediction_dropout
        self.dropout = nn.Dropout(settings.dropout)
        self.uniform = Uniform()
        self.start = nn.Linear(width, 1, bias=False)  # w1
        self.attention = nn.Linear(width, width, bias=False)  # W2
        self.update = nn.GRUCell(width, width)
        self.answer = nn.Linear(4 * width, task.outputs)  # W3
        for layer in (self.start, self.attention, self.answer):
            nn.init.normal_(layer.weight, std=0.02)
        nn.init.zeros_(self.answer.bias)

    def forward(self, encoded: Encoded) -> Tensor:
        """Log probabilities `(batch, outputs)` in float32; their softmax is P.

        Raises:
            ValueError: the batch does not name the text of each token.
        """
        if encoded.texts is None:
            raise ValueError("SAN has to know which tokens are of which text")
        # Sums over steps and tokens in few bits would lose what the steps add.
        with torch.autocast(encoded.tokens.device.type, enabled=False):
            vectors = encoded.tokens.float()
            answers = self._answers(vectors, encoded.texts == 1, encoded.texts == 2)
        return _log_mean(answers, self._kept(answers))

    def _answers(self, vectors: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """Log P^k `(batch, steps, outputs)` of token vectors `(batch, length, width)`."""
        premise, hypothesis = self._dropped(vectors), self._dropped(vectors)
        state = _attend(self.start(hypothesis).squeeze(-1), hypothesis, second)
        read = self._read(state, premise, first)
        answers = [self._answer(state, read)]
        for step in range(1, self.steps):
            if step > 1:  # x^1 is x^0
                read = self._read(state, premise, first)
            state = self.update(read, self.dropout(state))
            answers.append(self._answer(state, read))
        return torch.stack(answers, 1)

    def _dropped(self, vectors: Tensor) -> Tensor:
        """Dropout with one mask `(batch, 1, width)` for all tokens of a row.

        As in the authors' code; also, the masks do not depend on the batch's padding.
        """
        mask: Tensor = self.dropout(torch.ones_like(vectors[:, :1]))
        return vectors * mask

    def _read(self, state: Tensor, premise: Tensor, mask: Tensor) -> Tensor:
        scores = torch.einsum("bw,blw->bl", self.attention(state), premise)
        return _attend(scores, premise, mask)

    def _answer(self, state: Tensor, read: Tensor) -> Tensor:
        """Log P^k `(batch, outputs)`, Eq. 3."""
        features = torch.cat([state, read, (state - read).abs(), state * read], -1)
        return torch.log_softmax(self.answer(self.dropout(features)), -1)

    def _kept(self, answers: Tensor) -> Tensor:
        """Which steps count, bool `(batch, steps)`."""
        batch, steps, _ = answers.shape
        if not self.training:
            return answers.new_ones((batch, steps), dtype=torch.bool)
        random: Tensor = self.uniform((batch, steps), answers.device)
        place: Tensor = self.uniform((batch, 1), answers.device) * steps
        certain = place.long().clamp(max=steps - 1)  # a float32 below 1 may round up to `steps`
        return (random >= self.prediction_dropout) | (
            torch.arange(steps, device=answers.device) == certain
        )


def _attend(scores: Tensor, vectors: Tensor, mask: Tensor) -> Tensor:
    """Mean of the vectors `(batch, width)` weighted by softmax of the scores `(batch, length)`.

    Only vectors within the mask count; where there is none the mean is 0.
    """
    # The lowest number instead of -inf: a row of nothing but -inf would give NaN.
    lowest = torch.finfo(scores.dtype).min
    weights = torch.softmax(scores.masked_fill(~mask, lowest), -1) * mask
    return torch.einsum("bl,blw->bw", weights, vectors)


def _log_mean(answers: Tensor, kept: Tensor) -> Tensor:
    """Log of the mean probability over the kept steps, `(batch, outputs)`, Eq. 4.

    By logsumexp, which stays finite where every step's probability rounds to 0.
    """
    counted = answers.masked_fill(~kept.unsqueeze(-1), -math.inf)
    mean: Tensor = torch.logsumexp(counted, 1) - kept.sum(1, keepdim=True).log()
    return mean
