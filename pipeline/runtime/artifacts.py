"""Artifacts on disk: written under a staging name, renamed when whole, hashed when read."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

STAGING = ".staging"  # in .dvcignore: a folder that a kill left behind is never hashed
_CHUNK = 1 << 20


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex, read a megabyte at a time."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Give a staging path; on success it becomes `path`, on any failure it is gone.

    The staging lies on the same file system as `path`, so the rename is atomic.
    """
    staging = _draft_of(path)
    try:
        yield staging
        _flush_to_disk(staging)
        path.parent.mkdir(parents=True, exist_ok=True)
        staging.replace(path)
    finally:
        staging.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give an empty staging folder; on success it takes the place of `path` whole.

    A folder already at `path` stays untouched until the new one is complete.
    """
    staging = _draft_of(path)
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    try:
        yield staging
        for file in sorted(staging.rglob("*")):
            if file.is_file():
                _flush_to_disk(file)
        _swap(staging, path)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def copy_folder(source: Path, target: Path) -> None:
    """Copy a folder's bytes alone: where DVC links its files, they are read-only."""
    shutil.copytree(source, target, copy_function=shutil.copyfile)


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys: the same value gives the same bytes."""
    with new_file(path) as staging:
        staging.write_text(dump_json(value), encoding="utf-8")


def dump_json(value: Any) -> str:
    """JSON text with sorted keys, two spaces and a final newline; NaN is refused."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def read_json(path: Path) -> Any:
    """Read one JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


@contextlib.contextmanager
def system_errors(path: Path) -> Iterator[None]:
    """The libraries' Rust parts tell of a full disk in words: make it an OSError again."""
    try:
        yield
    except Exception as error:
        if number := re.search(r"os error (\d+)", str(error)):
            code = int(number[1])
            raise OSError(code, os.strerror(code), str(path)) from error
        raise


def staging_prefix(path: Path) -> Path:
    """What the names of an artifact's drafts begin with; the folder that they lie in is made.

    Drafts lie beside the top folder's artifacts, never inside a folder that DVC hashes.
    """
    top = path.parts[0] if not path.is_absolute() and len(path.parts) > 1 else path.parent
    drafts = Path(top) / STAGING
    drafts.mkdir(parents=True, exist_ok=True)
    return drafts / "-".join(path.with_suffix("").parts[-3:])


def remove_stale(path: Path) -> None:
    """Delete staging folders of an artifact that killed processes have left behind."""
    import psutil

    begin = staging_prefix(path)
    for folder in begin.parent.glob(f"{begin.name}-*"):
        found = re.fullmatch(r"-(\d+)(-old)?", folder.name.removeprefix(begin.name))
        if found and not psutil.pid_exists(int(found[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _draft_of(path: Path) -> Path:
    begin = staging_prefix(path)
    return begin.with_name(f"{begin.name}-{os.getpid()}{path.suffix}")


def _swap(staging: Path, path: Path) -> None:
    """Put the staging in the place of `path`; interrupted in between, the old one goes back."""
    path.parent.mkdir(parents=True, exist_ok=True)
    old = staging.with_name(staging.name + "-old")
    try:
        if path.exists():
            path.replace(old)
        staging.replace(path)
    finally:
        if old.exists() and not path.exists():
            old.replace(path)
        shutil.rmtree(old, ignore_errors=True)


def _flush_to_disk(file: Path) -> None:
    with file.open("rb+") as handle:
        os.fsync(handle.fileno())
