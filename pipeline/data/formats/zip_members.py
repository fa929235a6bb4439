"""Read members of a published zip as streams; the archive is never unpacked."""

from __future__ import annotations

import contextlib
import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from pipeline.errors import DataError

_BUFFER = 1 << 20
_FIX = "fetch the archive again"


def members(archive: Path, folder: str) -> dict[str, str]:
    """Files directly in an archive's task folder.

    Deeper folders (`original/`) and other top folders (`__MACOSX/`) are left out.

    Args:
        archive: the zip file.
        folder: name of the task's folder inside it, `RTE` say.

    Returns:
        Name of each member inside the archive by its base name.

    Raises:
        DataError: not a zip file, or a member leads out of the folder it is in.
    """
    with _opened(archive) as opened:
        infos = opened.infolist()
    for info in infos:
        if leaves_folder(info):
            raise DataError(
                "a member's name leads out of the archive's folder",
                seen=repr(info.orig_filename),
                where=archive,
                fix="do not use this archive; fetch it from its own source",
            )
    paths = [PurePosixPath(info.filename) for info in infos if not info.is_dir()]
    return {path.name: str(path) for path in paths if path.parent == PurePosixPath(folder)}


def leaves_folder(member: zipfile.ZipInfo) -> bool:
    """Whether a member, unpacked on some system, would be or point outside the target folder.

    Backslash and NUL are refused anywhere: systems interpret them differently.
    """
    name = member.orig_filename  # `filename` has been changed to this system's form
    path = PurePosixPath(name)
    drive = name[1:2] == ":"
    link = stat.S_ISLNK(member.external_attr >> 16)
    odd = "\\" in name or "\0" in name
    return path.is_absolute() or ".." in path.parts or drive or link or odd


@contextlib.contextmanager
def member(archive: Path, name: str) -> Iterator[BinaryIO]:
    """Open one member as a stream of bytes.

    Raises:
        DataError: the archive or the member is damaged; raised while it is read.
    """
    with _opened(archive) as opened, _stream(opened, archive, name) as stream:
        try:
            # A plain buffer splits lines several times faster than the zip module does.
            yield cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, stream), _BUFFER))
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise _damaged(archive, name, error) from error


def _stream(opened: zipfile.ZipFile, archive: Path, name: str) -> IO[bytes]:
    try:
        return opened.open(name)
    except (zipfile.BadZipFile, RuntimeError) as error:  # RuntimeError: encrypted
        raise _damaged(archive, name, error) from error


def _damaged(archive: Path, name: str, error: Exception) -> DataError:
    return DataError("a damaged archive", seen=str(error), where=f"{archive}: {name}", fix=_FIX)


@contextlib.contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    try:
        opened = zipfile.ZipFile(archive)
    except zipfile.BadZipFile as error:
        raise DataError("not a zip file", seen=str(error), where=archive, fix=_FIX) from error
    with opened:
        yield opened
