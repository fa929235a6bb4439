"""Score rows with a trained model: the logits of every row, in batches of similar length."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from threading import Lock

import numpy as np
import torch
from torch import Tensor

from pipeline.model import batching, bfloat16, padding
from pipeline.model.multitask import MultiTaskModel
from pipeline.model.tokenization import Tokens
from pipeline.runtime import current_batch, progress
from pipeline.runtime.hardware import Hardware
from pipeline.runtime.readback import Readback, one_behind
from pipeline.runtime.thread_pool import ThreadPool


def logits(
    model: MultiTaskModel, task: str, tokens: Tokens, machine: Hardware, title: str
) -> np.ndarray:
    """Logits float32 `(rows, outputs)` in the order of the rows.

    Args:
        model: on the machine's device.
        task: whose head is used.
        tokens: the rows.
        machine: device, precision, tokens a pass.
        title: title of the progress bar.
    """
    model.eval()
    rows = np.arange(len(tokens.lengths))
    with _attention(model, machine), progress.bar(title, len(rows), "rows") as bar:
        return of_rows(model, task, tokens, rows, machine, bar.advance)


def of_rows(
    model: MultiTaskModel,
    task: str,
    tokens: Tokens,
    rows: np.ndarray,
    machine: Hardware,
    advance: Callable[[int], object] = lambda rows: None,
) -> np.ndarray:
    """Logits float32 `(scored, outputs)` of some rows, in their order.

    A device has the next batch queued while the logits of one are read.

    Args:
        model: on the machine's device, in evaluation mode.
        task: whose head is used.
        tokens: all rows of the task.
        rows: positions of the rows to score `(scored,)`.
        machine: device, precision, tokens a pass.
        advance: called with the number of rows of each batch that is scored.
    """
    network = bfloat16.narrowed(model, machine)
    values = np.empty((len(rows), model.tasks[task].outputs), np.float32)
    counting = Lock()

    def start(places: np.ndarray) -> Readback:
        inputs = padding.on_device(tokens.batch(rows[places]), machine)
        current_batch.start("scoring", task, *inputs["input_ids"].shape)
        # In inference mode an encoder might keep tensors that no gradient passes.
        with torch.no_grad(), bfloat16.context(network, machine):
            scored: Tensor = network(task, inputs)
        return Readback(scored.float())

    def finish(places: np.ndarray, scored: Readback) -> None:
        values[places] = scored.array()
        with counting:
            advance(len(places))

    batches = batching.by_tokens(tokens.lengths[rows], machine.labelling_tokens)
    if machine.device == "cpu":
        with ThreadPool(machine.threads) as workers:
            workers.map(lambda places: finish(places, start(places)), batches)
    else:
        one_behind(batches, start, finish)
    current_batch.clear()
    return values


def _attention(model: MultiTaskModel, machine: Hardware) -> AbstractContextManager[None]:
    """Within the block the model scores with the engine's attention."""
    if machine.engine == "plain":
        return nullcontext()
    from pipeline.model.fast import attention

    return attention.replaced(model.encoder)
