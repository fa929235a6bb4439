"""Read numbers back from a device, one batch behind what it computes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

T = TypeVar("T")
R = TypeVar("R")


class Readback:
    """Numbers on their way to the computer's memory.

    Args:
        tensor: on any device; a GPU copies it when what is queued before has run.
    """

    def __init__(self, tensor: Tensor) -> None:
        import torch

        self._copy = tensor.to("cpu", non_blocking=tensor.is_cuda)
        self._copied: Any = None
        if tensor.is_cuda:
            self._copied = torch.cuda.Event()  # type: ignore[no-untyped-call]  # torch's
            self._copied.record()

    def array(self) -> np.ndarray:
        """The numbers; waits for them."""
        if self._copied is not None:
            self._copied.synchronize()
        array: np.ndarray = self._copy.numpy()
        return array


def one_behind(parts: Iterable[T], start: Callable[[T], R], finish: Callable[[T, R], None]) -> None:
    """Start each part before the one before it is finished, so that the device has work meanwhile.

    Args:
        parts: in this order.
        start: queues a part's work and returns without waiting for it.
        finish: waits for what `start` returned.
    """
    begun: tuple[T, R] | None = None
    for part in parts:
        following = part, start(part)
        if begun is not None:
            finish(*begun)
        begun = following
    if begun is not None:
        finish(*begun)
