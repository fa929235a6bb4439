"""The switch between an encoder's own dropout and attention and the fast ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from pipeline.model.fast import attention, dropout

if TYPE_CHECKING:
    from pipeline.model.multitask import MultiTaskModel


@contextmanager
def switched_on(model: MultiTaskModel) -> Iterator[Callable[..., AbstractContextManager[None]]]:
    """Within the block a model trains with fast masks and, on a CPU, fast attention.

    Args:
        model: the model to train.

    Yields:
        `dropout.seeded`: within `seeded(*words)` a pass draws masks that depend on the words alone.
    """
    with dropout.replaced(model), attention.replaced(model.encoder):
        yield dropout.seeded
