"""Score rows with a trained model: the logits of every row, in batches of similar length."""

from __future__ import annotations

from threading import Lock

import numpy as np
import torch

from pipeline.model import batching, padding
from pipeline.model.multitask import MultiTaskModel
from pipeline.model.tokenization import Tokens
from pipeline.runtime import current_batch, progress
from pipeline.runtime.hardware import Hardware
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
    values = np.empty((len(tokens.lengths), model.tasks[task].outputs), np.float32)
    counting = Lock()

    def score(rows: np.ndarray) -> None:
        inputs = padding.on_device(tokens.batch(rows), machine)
        current_batch.start("scoring", task, *inputs["input_ids"].shape)
        with torch.inference_mode(), machine.autocast():
            values[rows] = model(task, inputs).float().cpu().numpy()
        with counting:
            bar.advance(len(rows))

    with progress.bar(title, len(values), "rows") as bar, ThreadPool(machine.threads) as workers:
        workers.map(score, batching.by_tokens(tokens.lengths, machine.labelling_tokens))
    current_batch.clear()
    return values
