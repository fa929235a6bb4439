"""The interface of a data source, and the registry of all sources."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from pipeline.data.sources.checksums import Pin
from pipeline.data.sources.collected import Collected
from pipeline.params.sections import Params
from pipeline.runtime.discovery import Registry
from pipeline.tasks import Task


class Source(Protocol):
    """Writes one task's files to a folder."""

    def __call__(
        self,
        task: Task,
        params: Params,
        folder: Path,
        *,
        pins: Mapping[str, Pin],
        downloads: Path,
    ) -> Collected:
        """Write one task's files to `folder`, byte for byte as in the source.

        Args:
            task: one of GLUE's tasks.
            params: all parameters; `params.data.settings` are the source's own.
            folder: an empty folder.
            pins: size and SHA-256 of each file that is downloaded.
            downloads: folder of partial and whole downloads.

        Returns:
            The files, their layout and the origin of each; without files if the source does
            not have the task.

        Raises:
            DataError: a folder is not there.
            DownloadError: a file could not be fetched or is not the pinned one.
        """


SOURCES: Registry[Source] = Registry(__package__ or "")
