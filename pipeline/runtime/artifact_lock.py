"""Lock a trained model's path while a stage fills its staging folder.

The lock belongs to the artifact's path. Its file is next to the staging folders, where a stage must
be able to write in any case. The system frees the lock when the process ends, however it ends: a
stage whose DVC was killed still has the lock, a killed stage does not.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline import paths
from pipeline.errors import BusyError, ParamsError
from pipeline.runtime import artifacts, process_lock


@dataclass(frozen=True)
class StagingFolder:
    """A trained model's folder while it is made.

    Attributes:
        name: the artifact's path without `data`, with dashes: teachers-rte-m1-all.
        folder: what becomes the artifact.
        logits: what becomes the folder of its logits; `folder` itself if they have none.
        live: CSV file of the training's steps, outside the folder, so its path stays the same.
        spent: files and folders that are deleted once the artifact is whole.
    """

    name: str
    folder: Path
    logits: Path
    live: Path
    spent: list[Path] = field(default_factory=list)


@contextlib.contextmanager
def lock_for_training(path: Path, logits: Path | None = None) -> Iterator[StagingFolder]:
    """Lock `path`, and yield a staging folder that replaces it on success.

    Args:
        path: folder of the trained model.
        logits: folder of its logits, if they have one of their own: it is replaced together with
            the model's, just before it.

    Raises:
        BusyError: another process trains the model at this path.
        ParamsError: the folder for scratch files is not an absolute path.
    """
    _check_scratch()
    name = "-".join(path.parts[1:] if path.parts[:1] == (str(paths.DATA),) else path.parts[-1:])
    with _locked(path):
        targets = [path] if logits is None else [logits, path]
        for target in targets:
            artifacts.remove_stale(target)
        with artifacts.new_folders(*targets) as folders:
            staging = StagingFolder(name, folders[-1], folders[0], paths.live_log(name))
            yield staging
        for spent in (*staging.spent, staging.live):
            _delete(spent)


def _check_scratch() -> None:
    named = os.environ.get(paths.SCRATCH)
    if named and not Path(named).is_absolute():
        raise ParamsError(
            "the folder for scratch files is not an absolute path, so runs from other folders "
            "would not find it",
            seen=named,
            where=f"environment variable {paths.SCRATCH}",
            fix=f"export {paths.SCRATCH}={Path(named).absolute()}",
        )


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        with process_lock.hold(artifacts.staging_prefix(path)):
            yield
    except process_lock.LockedError as error:
        raise BusyError(
            "another process trains this model already",
            seen=f"process {error}",
            where=path,
            fix="wait until it is done, or end it: the next run goes on from its last checkpoint",
        ) from None


def _delete(path: Path) -> None:
    """Delete a file or folder; if that fails, only clutter is left."""
    shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
