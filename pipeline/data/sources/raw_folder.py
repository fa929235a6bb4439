"""Write a task's raw folder: the source's files, and source.json that describes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline import paths
from pipeline.data.sources import local
from pipeline.data.sources.base import SOURCES
from pipeline.data.sources.checksums import PINS, Pin
from pipeline.data.sources.collected import Collected
from pipeline.data.sources.download import DOWNLOADS
from pipeline.params.sections import Params
from pipeline.runtime.artifacts import dump_json, new_folder, sha256
from pipeline.tasks import GLUE


def write(
    task: str,
    params: Params,
    folder: Path,
    *,
    pins: Mapping[str, Pin] = PINS,
    downloads: Path = DOWNLOADS,
) -> Collected:
    """Write one task's files to `folder`; its old content stays until all files are whole.

    Args:
        task: the task's name in params.yaml.
        params: all parameters.
        folder: the task's raw folder.
        pins: size and SHA-256 of each file that is downloaded.
        downloads: folder of partial and whole downloads.

    Raises:
        DataError: a local folder or the files of a custom task are missing.
        DownloadError: a file could not be fetched or is not the pinned one.
    """
    with new_folder(folder) as staging:
        collected = _collect(task, params, staging, pins, downloads)
        record = dump_json(_record(task, collected, staging))
        (staging / paths.SOURCE).write_text(record, encoding="utf-8")
    return collected


def _collect(
    task: str, params: Params, folder: Path, pins: Mapping[str, Pin], downloads: Path
) -> Collected:
    # Of `tasks` only the names are read: dvc.yaml leaves caps and definitions out of this stage.
    if task not in GLUE:
        return local.collect_custom(task, Path(params.data.folder), folder)
    collect = SOURCES[params.data.source]
    return collect(GLUE[task], params, folder, pins=pins, downloads=downloads)


def _record(task: str, collected: Collected, folder: Path) -> dict[str, Any]:
    files = {
        name: {
            "bytes": (folder / name).stat().st_size,
            "sha256": sha256(folder / name),
            "from": origin,
        }
        for name, origin in collected.origins.items()
    }
    return {
        "source": collected.source,
        "layout": collected.layout,
        "task": task,
        "licence": collected.licence,
        "files": files,
        "missing": list(collected.missing),
    }
