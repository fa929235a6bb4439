"""A running training's checkpoints on disk: the last two, each checked when it is read.

A checkpoint is a safetensors file with all facts in its header, and a JSON file with its size and
SHA-256, which is written last. A torn or changed file, or one without JSON, is no checkpoint.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.runtime import artifacts

if TYPE_CHECKING:
    from torch import Tensor

KEPT = 2
_TENSORS, _SEAL, _FACTS = ".safetensors", ".json", "facts"


class DamagedCheckpointError(Exception):
    """A checkpoint whose bytes are not those that were written."""


class Checkpoint(NamedTuple):
    """The state of a training run that is written to disk."""

    tensors: Mapping[str, Tensor]  # by name, on the CPU where they were read from disk
    facts: Mapping[str, Any]  # of JSON's types


class CheckpointFolder:
    """The checkpoints of one run.

    Args:
        folder: holds nothing else; made with the first checkpoint.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()  # so that staging files are in it too

    def numbers(self) -> list[int]:
        """Numbers of the checkpoints, the newest first; files that lack their JSON do not count."""
        return sorted((int(file.stem) for file in self.folder.glob(f"*{_SEAL}")), reverse=True)

    def write(self, number: int, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, then delete all but the last two.

        Args:
            number: of the checkpoint, higher than those before.
            checkpoint: tensors on any device, none of them sharing its memory with another.

        Raises:
            OSError: the folder cannot be written.
        """
        from safetensors.torch import save_file

        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(number)
        tensors = {
            name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()
        }
        with artifacts.new_file(path) as staging, artifacts.system_errors(path):
            save_file(tensors, staging, {_FACTS: json.dumps(checkpoint.facts)})
        seal = {"bytes": path.stat().st_size, "sha256": artifacts.sha256(path)}
        artifacts.write_json(path.with_suffix(_SEAL), seal)
        for old in self.numbers()[KEPT:]:
            self.drop(old)

    def read(self, number: int) -> Checkpoint:
        """Read a checkpoint.

        Raises:
            DamagedCheckpointError: it is not whole, or not what was written.
        """
        from safetensors import SafetensorError, safe_open

        path = self._path(number)
        try:
            seal = artifacts.read_json(path.with_suffix(_SEAL))
            seen = {"bytes": path.stat().st_size, "sha256": artifacts.sha256(path)}
            if seal != seen:
                raise DamagedCheckpointError(f"{path}: expected {seal}, seen {seen}")
            with safe_open(path, "pt") as file:
                facts = json.loads(file.metadata()[_FACTS])
                return Checkpoint({name: file.get_tensor(name) for name in _names(file)}, facts)
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise DamagedCheckpointError(f"{path}: {error}") from None

    def drop(self, number: int) -> None:
        """Delete one checkpoint, the JSON file first."""
        for suffix in (_SEAL, _TENSORS):
            _delete(self._path(number).with_suffix(suffix))

    def clean(self) -> None:
        """Delete files that killed processes left half written."""
        shutil.rmtree(self.folder / artifacts.STAGING, ignore_errors=True)
        whole = {self._path(number).stem for number in self.numbers()}
        for file in self.folder.glob(f"*{_TENSORS}"):
            if file.stem not in whole:
                _delete(file)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:09d}{_TENSORS}"


def _names(file: Any) -> list[str]:
    return [*file.keys()]


def _delete(file: Path) -> None:
    with contextlib.suppress(OSError):  # what cannot be written can still be read
        file.unlink(missing_ok=True)
