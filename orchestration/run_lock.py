"""The lock of a run: a second run of the project is refused, and the first goes on."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil

from pipeline.errors import PipelineError
from pipeline.runtime import process_lock

_NAME = "make-repro"


@contextlib.contextmanager
def acquire(folder: Path) -> Iterator[None]:
    """Lock the project while the block runs. The system frees it when the process ends.

    Args:
        folder: DVC's own folder of temporary files, .dvc/tmp.

    Raises:
        PipelineError: another run holds the lock, or a DVC that we did not start runs a stage.
    """
    try:
        with process_lock.hold(folder / _NAME):
            _drop_torn_notes(folder)
            if others := foreign_processes(folder, ()):
                raise _busy_error("; ".join(others))
            yield
    except process_lock.LockedError as error:
        raise _busy_error(f"make repro, process {error}") from None


def foreign_processes(folder: Path, own: Collection[int]) -> list[str]:
    """DVC processes that run a stage here and are not ours, each as a command and its number.

    Args:
        folder: .dvc/tmp, where every DVC notes which paths it reads and writes.
        own: numbers of the processes that are ours.
    """
    from dvc.rwlock import RWLOCK_FILE

    noted = _notes(folder / RWLOCK_FILE) or {}
    commands = {int(entry["pid"]): str(entry["cmd"]) for entry in _entries(noted)}
    return [
        f"{command}, process {pid}"
        for pid, command in sorted(commands.items())
        if pid not in own and _is_dvc(pid)
    ]


def _notes(path: Path) -> dict[str, Any] | None:
    """DVC's notes; None if they are being written, or were when DVC was killed."""
    try:
        noted: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:  # no JSON, or half a character
        return None
    return noted


def _drop_torn_notes(folder: Path) -> None:
    """Remove notes that a killed DVC wrote half: until then every other DVC would refuse to run."""
    from dvc.lock import make_lock
    from dvc.rwlock import RWLOCK_FILE, RWLOCK_LOCK

    path = folder / RWLOCK_FILE
    if _notes(path) is not None:
        return
    with make_lock(str(folder / RWLOCK_LOCK), tmp_dir=str(folder)):  # a living writer holds it
        if _notes(path) is None:
            path.unlink()
            print(f"removed: {path} (DVC was killed while it wrote it)")


def _is_dvc(pid: int) -> bool:
    """Whether a process runs and is DVC: a killed one's note stays, and its number is reused."""
    try:
        line = " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return False
    return "dvc" in line or "orchestration.supervised_dvc" in line


def _entries(noted: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """The processes of a path: one writer or a list of readers."""
    for of_path in noted.values():
        for entry in of_path.values():
            yield from entry if isinstance(entry, list) else [entry]


def _busy_error(who: str) -> PipelineError:
    return PipelineError(
        "another run of this project is under way",
        seen=who,
        fix="wait for its end, then run the same command again: what it finished is kept",
    )
