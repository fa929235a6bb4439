"""The optimizer's steps: weights cut into pieces of fixed size that threads share out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.learning import optimizers
from pipeline.learning.gradients import Gradient
from pipeline.learning.optimizers import Group
from pipeline.params.training import Training
from pipeline.workers import Workers

PIECE = 2**20
"""Numbers of a piece. Pieces do not depend on the number of threads, so bytes do not either."""


class Updates:
    """One optimizer a thread, each for some pieces of the weights.

    Args:
        groups: what is trained, with what decides its rate and decay.
        weights: the same weights in the order that gradients come in.
        settings: kind of optimizer, rates, decay.
        device: torch's name of the weights' device; only on a CPU they are cut.
        workers: the threads.
    """

    def __init__(
        self,
        groups: Sequence[Group],
        weights: Sequence[nn.Parameter],
        settings: Training,
        device: str,
        workers: Workers,
    ) -> None:
        self._workers = workers
        cut = PIECE if device == "cpu" else None
        self._pieces: dict[Tensor, list[Tensor]] = {
            weight: _pieces(weight, cut) for weight in weights
        }
        self._places = list(weights)
        self.optimizers = [
            optimizers.build(share, settings, device)
            for share in _shares(groups, self._pieces, workers.threads if cut else 1)
        ]

    def set_rate(self, rate: float) -> None:
        """Give every group of weights its share of the schedule's rate."""
        for optimizer in self.optimizers:
            optimizers.set_rate(optimizer, rate)

    def give(self, gradients: Sequence[Gradient]) -> None:
        """Tell the pieces their gradients, which share the memory of those given.

        Args:
            gradients: of every weight, in the weights' order and laid out as they are; None for a
                weight without any.
        """
        for weight, gradient in zip(self._places, gradients, strict=True):
            pieces = self._pieces[weight]
            parts: Sequence[Gradient] = [gradient] * len(pieces)
            if gradient is not None and len(pieces) > 1:
                parts = torch.split(gradient.view(-1), [len(piece) for piece in pieces])
            for piece, part in zip(pieces, parts, strict=True):
                piece.grad = part

    def step(self, scaler: Any) -> None:
        """Change the weights.

        Args:
            scaler: a `torch.amp.GradScaler`; where it is enabled there is one optimizer.
        """
        self._workers.map(scaler.step, self.optimizers)

    def state(self) -> dict[str, Tensor]:
        """The optimizers' numbers, by weight, piece and name."""
        owners = self._owners()
        return {
            f"{place}/{number}/{name}": value
            for place, weight in enumerate(self._places)
            for number, piece in enumerate(self._pieces[weight])
            for name, value in owners[piece].state.get(piece, {}).items()
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take up the numbers that `state` gave, on whatever device and threads they were."""
        found: dict[Tensor, dict[str, Tensor]] = defaultdict(dict)
        for name, value in state.items():
            place, number, key = name.split("/")
            found[self._pieces[self._places[int(place)]][int(number)]][key] = value.clone()
        for optimizer in self.optimizers:
            pieces = [piece for group in optimizer.param_groups for piece in group["params"]]
            numbers = {at: found[piece] for at, piece in enumerate(pieces) if piece in found}
            optimizer.load_state_dict({**optimizer.state_dict(), "state": numbers})

    def _owners(self) -> dict[Tensor, torch.optim.Optimizer]:
        return {
            piece: optimizer
            for optimizer in self.optimizers
            for group in optimizer.param_groups
            for piece in group["params"]
        }


def _pieces(weight: nn.Parameter, size: int | None) -> list[Tensor]:
    """The weight itself, or flat leaves that share its memory."""
    if size is None or weight.numel() <= size or not weight.is_contiguous():
        return [weight]
    return [piece.requires_grad_() for piece in torch.split(weight.detach().view(-1), size)]


def _shares(
    groups: Sequence[Group], pieces: Mapping[Tensor, Sequence[Tensor]], number: int
) -> list[list[Group]]:
    """The groups with their pieces dealt out in turn, so that threads have about as much to do."""
    dealt: list[list[Group]] = [[] for _ in range(number)]
    turn = 0
    for group in groups:
        hands: list[list[Tensor]] = [[] for _ in range(number)]
        for weight in group.weights:
            for piece in pieces[weight]:
                hands[turn % number].append(piece)
                turn += 1
        for share, hand in zip(dealt, hands, strict=True):
            if hand:
                share.append(group._replace(weights=hand))
    return [share for share in dealt if share]
