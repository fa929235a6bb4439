"""Write files and folders under a staging name and rename them when whole; hash and read them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
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
    """Yield a staging path; on success it becomes `path`, on any failure it is deleted.

    The staging path is on the same file system as `path`, so the rename is atomic.
    """
    staging = _staging_path(path)
    try:
        yield staging
        _flush_to_disk(staging)
        path.parent.mkdir(parents=True, exist_ok=True)
        staging.replace(path)
    finally:
        staging.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield an empty staging folder; on success it replaces `path` as a whole.

    A folder already at `path` stays untouched until the new one is complete.
    """
    with new_folders(path) as (staging,):
        yield staging


@contextlib.contextmanager
def new_folders(*targets: Path) -> Iterator[tuple[Path, ...]]:
    """Yield an empty staging folder for each path; on success each replaces its path as a whole.

    Existing folders stay untouched until all new ones are complete. The new ones are
    renamed in the order of the paths, so a process killed in between leaves the last one undone.
    """
    stagings = tuple(_staging_path(path) for path in targets)
    try:
        for staging in stagings:
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir()
        yield stagings
        for file in sorted(file for staging in stagings for file in staging.rglob("*")):
            if file.is_file():
                _flush_to_disk(file)
        _swap(dict(zip(targets, stagings, strict=True)))
    finally:
        for staging in stagings:
            shutil.rmtree(staging, ignore_errors=True)


def copy_folder(source: Path, target: Path) -> None:
    """Copy a folder's bytes without their modes: files that DVC links are read-only."""
    shutil.copytree(source, target, copy_function=shutil.copyfile)


def link_folder(source: Path, target: Path, leave_out: str) -> None:
    """Link a folder's files to another folder, or copy them where the file system has no links.

    Args:
        source: folder of files that are never written in place.
        target: the new folder; must not exist.
        leave_out: name of files that are not linked.
    """
    ignore = shutil.ignore_patterns(leave_out)
    shutil.copytree(source, target, copy_function=_link_or_copy, ignore=ignore)


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
    """Raise an OSError where a library written in Rust reports one as text, such as a full disk."""
    try:
        yield
    except Exception as error:
        if number := re.search(r"os error (\d+)", str(error)):
            code = int(number[1])
            raise OSError(code, os.strerror(code), str(path)) from error
        raise


def staging_prefix(path: Path) -> Path:
    """Prefix of the paths of an artifact's staging files and folders; makes their folder.

    They are in the artifact's top folder, never inside a folder that DVC hashes.
    """
    top = path.parts[0] if not path.is_absolute() and len(path.parts) > 1 else path.parent
    folder = Path(top) / STAGING
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "-".join(path.with_suffix("").parts[-4:])


def remove_stale(path: Path) -> None:
    """Delete staging folders of an artifact that killed processes have left behind."""
    import psutil

    prefix = staging_prefix(path)
    for folder in prefix.parent.glob(f"{prefix.name}-*"):
        match = re.fullmatch(r"-(\d+)(-old)?", folder.name.removeprefix(prefix.name))
        if match and not psutil.pid_exists(int(match[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _staging_path(path: Path) -> Path:
    prefix = staging_prefix(path)
    return prefix.with_name(f"{prefix.name}-{os.getpid()}{path.suffix}")


def _swap(stagings: Mapping[Path, Path]) -> None:
    """Replace each path by its staging folder; if interrupted in between, put the old ones back.

    The old folders go first, the last one before the others: a process killed at any moment
    leaves no new folder next to the old last one.
    """
    olds = {path: staging.with_name(staging.name + "-old") for path, staging in stagings.items()}
    try:
        for path, old in reversed(olds.items()):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                path.replace(old)
        for path, staging in stagings.items():
            staging.replace(path)
    finally:
        if any(staging.exists() for staging in stagings.values()):
            _put_back(stagings, olds)
        for old in olds.values():
            shutil.rmtree(old, ignore_errors=True)


def _put_back(stagings: Mapping[Path, Path], olds: Mapping[Path, Path]) -> None:
    for path, staging in stagings.items():
        if path.exists() and not staging.exists():
            path.replace(staging)
        if olds[path].exists():
            olds[path].replace(path)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(os.path.realpath(source), target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)


def _flush_to_disk(file: Path) -> None:
    with file.open("rb") as handle:  # a linked file may be read-only
        os.fsync(handle.fileno())
