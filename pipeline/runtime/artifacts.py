"""Artifacts on disk: written under a draft name, renamed when whole, hashed when read."""

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

DRAFTS = ".drafts"  # in .dvcignore: a folder that a kill left behind is never hashed
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
    """Give a draft path; on success it becomes `path`, on any failure it is gone.

    The draft lies on the same file system as `path`, so the rename is atomic.
    """
    draft = _draft_of(path)
    try:
        yield draft
        _flush_to_disk(draft)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give an empty draft folder; on success it takes the place of `path` whole.

    A folder already at `path` stays untouched until the new one is complete.
    """
    draft = _draft_of(path)
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        yield draft
        for file in sorted(draft.rglob("*")):
            if file.is_file():
                _flush_to_disk(file)
        _swap(draft, path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def copy_folder(source: Path, target: Path) -> None:
    """Copy a folder's bytes alone: where DVC links its files, they are read-only."""
    shutil.copytree(source, target, copy_function=shutil.copyfile)


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys: the same value gives the same bytes."""
    with new_file(path) as draft:
        draft.write_text(dump_json(value), encoding="utf-8")


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


def drafts_of(path: Path) -> Path:
    """What the names of an artifact's drafts begin with; the folder that they lie in is made.

    Drafts lie beside the top folder's artifacts, never inside a folder that DVC hashes.
    """
    top = path.parts[0] if not path.is_absolute() and len(path.parts) > 1 else path.parent
    drafts = Path(top) / DRAFTS
    drafts.mkdir(parents=True, exist_ok=True)
    return drafts / "-".join(path.with_suffix("").parts[-3:])


def drop_stale(path: Path) -> None:
    """Delete draft folders of an artifact that killed processes have left behind."""
    import psutil

    begin = drafts_of(path)
    for folder in begin.parent.glob(f"{begin.name}-*"):
        found = re.fullmatch(r"-(\d+)(-old)?", folder.name.removeprefix(begin.name))
        if found and not psutil.pid_exists(int(found[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _draft_of(path: Path) -> Path:
    begin = drafts_of(path)
    return begin.with_name(f"{begin.name}-{os.getpid()}{path.suffix}")


def _swap(draft: Path, path: Path) -> None:
    """Put the draft in the place of `path`; interrupted in between, the old one goes back."""
    path.parent.mkdir(parents=True, exist_ok=True)
    old = draft.with_name(draft.name + "-old")
    try:
        if path.exists():
            path.replace(old)
        draft.replace(path)
    finally:
        if old.exists() and not path.exists():
            old.replace(path)
        shutil.rmtree(old, ignore_errors=True)


def _flush_to_disk(file: Path) -> None:
    with file.open("rb+") as handle:
        os.fsync(handle.fileno())
