"""Check the folders that a run writes into before any stage runs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from pipeline.errors import PipelineError


def check(paths: Iterable[Path]) -> None:
    """Check that files and folders can be made, replaced and removed at these paths.

    Raises:
        PipelineError: a folder that is or would be around one of them cannot be written.
    """
    closed = sorted(
        {folder for path in paths for folder in _nearest_folders(path) if not _is_writable(folder)}
    )
    if closed:
        raise PipelineError(
            "no permission to write, or a read-only file system",
            where=", ".join(os.path.relpath(folder) for folder in closed),
            fix="make it writable for this user (chmod u+w, or mount it so), then run again",
        )


def _nearest_folders(path: Path) -> Iterable[Path]:
    """The folder itself, if it is one, and the nearest that exists above."""
    if path.is_dir():
        yield path
    yield next(folder for folder in path.parents if folder.is_dir())


def _is_writable(folder: Path) -> bool:
    """Whether entries can be made; a read-only mount refuses everyone, root included."""
    return os.access(folder, os.W_OK | os.X_OK)
