"""A task's raw folder: the source's own bytes, and source.json that says what they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline import paths
from pipeline.data.sources import hub, local, official
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
    """Bring one task's files to `folder`; what lay there before stays until all are whole.

    Args:
        task: the task's name in params.yaml.
        params: all parameters.
        folder: the task's raw folder.
        pins: size and SHA-256 of each file that is downloaded.
        downloads: folder of partial and whole downloads.

    Raises:
        DataError: a local folder or a task of one's own is not there.
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
    data = params.data
    if task not in GLUE:
        return local.collect_custom(task, Path(data.folder), folder)
    match data.source:
        case "sample":
            return _sample(task, params, folder)
        case "local":
            collected = local.collect(GLUE[task], Path(data.folder), folder)
            if not collected.origins:
                local.require_any([n for n in params.tasks if n in GLUE], Path(data.folder))
            return collected
        case "official":
            return official.collect(GLUE[task], data, folder, pins=pins, downloads=downloads)
        case "hub":
            return hub.collect(GLUE[task], data, folder, pins=pins, downloads=downloads)


def _sample(task: str, params: Params, folder: Path) -> Collected:
    from pipeline.data.sample import files

    made = files.generate(task, params.data.sample)
    for name, content in made.items():
        (folder / name).write_bytes(content)
    licence = "generated sentences, free to use as this project is"
    return Collected("sample", "tsv", licence, dict.fromkeys(made, "sample"))


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
