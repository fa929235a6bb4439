"""A stage in a process that ends itself at a chosen moment; imported once, then forked."""

from __future__ import annotations

import importlib
import itertools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas  # noqa: F401  # pyarrow imports it for the first list that it is handed
import safetensors.torch
import transformers.models.bert.modeling_bert
import transformers.models.bert.tokenization_bert  # noqa: F401

from pipeline.model import saved_model, scoring
from pipeline.runtime import artifact_lock, artifacts
from pipeline.teachers import teach  # noqa: F401
from pipeline.training.resume.checkpoints import CheckpointFolder
from stages import _cli

Kill = Callable[[], None]


def run(folder: Path, arguments: list[str], errors: Path, moment: str, number: int) -> None:
    """Run a stage as its command line does.

    Args:
        folder: the project.
        arguments: name of the stage's module, then its options.
        errors: file that standard error is appended to.
        moment: a key of MOMENTS, or "" for none.
        number: the signal that is sent then.
    """
    os.chdir(folder)
    with errors.open("ab") as file:
        os.dup2(file.fileno(), 2)
    if moment:
        MOMENTS[moment](lambda: os.kill(os.getpid(), number))
    sys.argv = [*arguments]
    _cli.run(importlib.import_module(arguments[0]).app)


def _around(owner: Any, name: str, call: int, kill: Kill, after: bool = False) -> None:
    """Kill before or after some call of a function."""
    original, calls = getattr(owner, name), itertools.count(1)

    def patched(*args: Any, **kwargs: Any) -> Any:
        now = next(calls) == call
        if now and not after:
            kill()
        result = original(*args, **kwargs)
        if now and after:
            kill()
        return result

    setattr(owner, name, patched)


def _half_a_checkpoint(kill: Kill) -> None:
    original, calls = safetensors.torch.save_file, itertools.count(1)

    def save_file(tensors: Any, path: Path, metadata: Any = None) -> None:
        original(tensors, path, metadata)
        if next(calls) == 3:
            whole = Path(path).read_bytes()
            Path(path).write_bytes(whole[: len(whole) // 2])
            kill()
            Path(path).write_bytes(whole)

    safetensors.torch.save_file = save_file


def _in_the_swap(call: int, kill: Kill) -> None:
    swap = artifacts._swap

    def patched(stagings: dict[Path, Path]) -> None:
        _around(os, "replace", call, kill, after=True)
        swap(stagings)

    artifacts._swap = patched


# A checkpoint is two renames: its tensors, then the JSON file that makes it one.
MOMENTS: dict[str, Callable[[Kill], None]] = {
    "half a checkpoint is written": _half_a_checkpoint,
    "a checkpoint is flushed to disk": lambda kill: _around(os, "fsync", 3, kill),
    "before the tensors' rename": lambda kill: _around(os, "replace", 5, kill),
    "before the JSON file's rename": lambda kill: _around(os, "replace", 6, kill),
    "after the JSON file's rename": lambda kill: _around(os, "replace", 6, kill, after=True),
    "before an old checkpoint is deleted": lambda kill: _around(CheckpointFolder, "drop", 1, kill),
    "after an old checkpoint is deleted": lambda kill: _around(
        CheckpointFolder, "drop", 2, kill, True
    ),
    "the model is saved": lambda kill: _around(saved_model, "save", 1, kill, after=True),
    "the rows are scored": lambda kill: _around(scoring, "logits", 2, kill),
    "before the final rename": lambda kill: _around(artifacts, "_swap", 1, kill),
    "the old teacher is away": lambda kill: _in_the_swap(1, kill),
    "the old logits are away": lambda kill: _in_the_swap(2, kill),
    "the new logits are there": lambda kill: _in_the_swap(3, kill),
    "the new teacher is there": lambda kill: _in_the_swap(4, kill),
    "before the checkpoints are deleted": lambda kill: _around(artifact_lock, "_delete", 1, kill),
}
