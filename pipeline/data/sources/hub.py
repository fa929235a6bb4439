"""Download Parquet files of the data set on the Hugging Face Hub, at a pinned revision."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.data.formats.layouts import hub_name
from pipeline.data.sources import hub_paths
from pipeline.data.sources.base import SOURCES
from pipeline.data.sources.checksums import HUB, Pin
from pipeline.data.sources.collected import Collected
from pipeline.data.sources.download import DOWNLOADS, OFFLINE_FIX, Wanted, all_kept, fetch_all
from pipeline.errors import DownloadError
from pipeline.params.sections import Params
from pipeline.params.sources.hub import Hub
from pipeline.tasks import Task


@SOURCES.register("hub")
def collect(
    task: Task,
    params: Params,
    folder: Path,
    *,
    pins: Mapping[str, Pin] = HUB,
    downloads: Path = DOWNLOADS,
) -> Collected:
    """Download one task's Parquet files to `folder`, under flat names.

    huggingface_hub reads the address (HF_ENDPOINT) and the token (HF_TOKEN, or the one that
    `hf auth login` stored). Its own downloader is not used: it deletes a partial file when it
    stops, and it writes to the user's cache folder.

    Raises:
        DownloadError: HF_HUB_OFFLINE is set and not all files were kept from an earlier run, or
            a file could not be fetched or is not the pinned one.
    """
    from huggingface_hub import constants, get_token

    settings: Hub = params.data.sources.hub
    paths = {hub_name(split): hub_paths.hub_path(task.name, split) for split in task.rows}
    wanted = {name: Wanted(address(path, settings), pins[path]) for name, path in paths.items()}
    if constants.is_offline_mode() and not all_kept(wanted, downloads):
        raise DownloadError(
            f"{task.title} cannot be downloaded from the Hub: HF_HUB_OFFLINE is set",
            where=f"data.source is hub ({settings.repo})",
            fix=f"unset HF_HUB_OFFLINE, or {OFFLINE_FIX}",
        )
    token = get_token()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    fetch_all(wanted, folder, params.data.retry, downloads=downloads, headers=headers)
    # The origin names the data set, not the server: a mirror leads to the same source.json.
    origins = {
        name: f"hf://datasets/{settings.repo}@{settings.revision}/{path}"
        for name, path in paths.items()
    }
    return Collected("hub", "parquet", task.licence, origins)


def address(path: str, hub: Hub) -> str:
    """URL of one file of the data set, on the endpoint that HF_ENDPOINT names."""
    from huggingface_hub import hf_hub_url

    return str(hf_hub_url(hub.repo, path, repo_type="dataset", revision=hub.revision))
