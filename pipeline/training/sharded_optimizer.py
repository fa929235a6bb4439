"""The optimizer on threads: each thread updates whole weights, balanced by size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.params.training import Training
from pipeline.runtime.thread_pool import ThreadPool
from pipeline.training import optimizers
from pipeline.training.gradients import Gradient
from pipeline.training.optimizers import Group


class Updates:
    """One optimizer per thread, each for some of the weights.

    AdamW and Adamax change every number of a weight by itself, so bytes do not depend on which
    thread has which weight.

    Args:
        groups: the trained weights with their rates and decays.
        weights: the same weights in the order that gradients come in.
        settings: kind of optimizer, rates, decay.
        device: torch's name of the weights' device; only on a CPU threads share them.
        workers: the threads.
    """

    def __init__(
        self,
        groups: Sequence[Group],
        weights: Sequence[nn.Parameter],
        settings: Training,
        device: str,
        workers: ThreadPool,
    ) -> None:
        self._workers, self._weights = workers, list(weights)
        self.optimizers = [
            optimizers.build(share, settings, device)
            for share in _shares(groups, workers.threads if device == "cpu" else 1)
        ]

    def set_rate(self, rate: float) -> None:
        """Set the rate of every group of weights to its share of the schedule's rate."""
        for optimizer in self.optimizers:
            optimizers.set_rate(optimizer, rate)

    def set_gradients(self, gradients: Sequence[Gradient]) -> None:
        """Set the gradients of the weights.

        Args:
            gradients: of every weight, in the weights' order and memory layout; None for a
                weight without any.
        """
        for weight, gradient in zip(self._weights, gradients, strict=True):
            weight.grad = gradient

    def step(self, scaler: Any) -> None:
        """Change the weights.

        Args:
            scaler: a `torch.amp.GradScaler`; where it is enabled there is one optimizer.
        """
        self._workers.map(scaler.step, self.optimizers)

    def state(self) -> dict[str, Tensor]:
        """The optimizers' numbers, by the weight's place and name, whatever the threads."""
        numbers: dict[Tensor, dict[str, Tensor]] = {}
        for optimizer in self.optimizers:
            numbers |= optimizer.state
        return {
            f"{place}/{name}": value
            for place, weight in enumerate(self._weights)
            for name, value in numbers.get(weight, {}).items()
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore the numbers that `state` returned, from any device and number of threads."""
        numbers: dict[Tensor, dict[str, Tensor]] = defaultdict(dict)
        for key, value in state.items():
            place, name = key.split("/")
            numbers[self._weights[int(place)]][name] = value.clone()
        for optimizer in self.optimizers:
            weights = [weight for group in optimizer.param_groups for weight in group["params"]]
            own = {at: numbers[weight] for at, weight in enumerate(weights) if weight in numbers}
            optimizer.load_state_dict({**optimizer.state_dict(), "state": own})


def _shares(groups: Sequence[Group], threads: int) -> list[list[Group]]:
    """The groups of each thread; weights, largest first, go to the thread with least so far."""
    weights = [weight for group in groups for weight in group.weights]
    owners, sizes = {}, [0] * threads
    for weight in sorted(weights, key=torch.numel, reverse=True):
        owner = sizes.index(min(sizes))
        owners[weight] = owner
        sizes[owner] += weight.numel()
    dealt = [
        [
            group._replace(weights=[weight for weight in group.weights if owners[weight] == owner])
            for group in groups
        ]
        for owner in range(threads)
    ]
    shares = [[group for group in share if group.weights] for share in dealt]
    return [share for share in shares if share]
