"""Count the operators that torch runs, and those after which the host waits for a device."""

from __future__ import annotations

from collections import Counter
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

READS = frozenset(
    {"_local_scalar_dense", "item", "is_nonzero", "nonzero", "masked_select", "_unique2", "equal"}
)
"""Operators whose result, or its size, the host has to read from the device."""
CAST = "_to_copy"
VIEWS = frozenset(
    {
        "_reshape_alias",
        "_unsafe_view",
        "alias",
        "as_strided",
        "detach",
        "expand",
        "lift_fresh",
        "permute",
        "select",
        "slice",
        "split",
        "squeeze",
        "t",
        "transpose",
        "unbind",
        "unsqueeze",
        "view",
        "empty",
        "empty_like",
    }
)
"""Operators that a GPU has nothing to do for."""


class Calls(TorchDispatchMode):
    """Within the block, counts this thread's calls by the operator's name."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None):
        self.counts[function.overloadpacket.__name__] += 1
        return function(*args, **(kwargs or {}))

    @property
    def reads(self) -> dict[str, int]:
        """Calls that wait for a device."""
        return {name: count for name, count in self.counts.items() if name in READS}

    @property
    def casts(self) -> float:
        """Share of the calls with work for a device that only change the type of numbers."""
        work = sum(count for name, count in self.counts.items() if name not in VIEWS)
        return self.counts[CAST] / work
