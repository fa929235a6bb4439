"""Download the published zips and tables, byte for byte."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from pipeline.data.formats import zip_members
from pipeline.data.formats.layouts import MSR_DEV_IDS, MSR_TEST, MSR_TRAIN
from pipeline.data.sources.base import SOURCES
from pipeline.data.sources.checksums import OFFICIAL, Pin
from pipeline.data.sources.collected import Collected, Layout
from pipeline.data.sources.download import DOWNLOADS, Wanted, fetch_all
from pipeline.errors import DownloadError
from pipeline.params.sections import Params
from pipeline.params.sources.official import Official
from pipeline.tasks import Task

FILES: Mapping[str, tuple[str, ...]] = {
    "cola": ("CoLA.zip",),
    "sst2": ("SST-2.zip",),
    "mrpc": (MSR_TRAIN, MSR_TEST, MSR_DEV_IDS),
    "stsb": ("STS-B.zip",),
    "qqp": ("QQP-clean.zip",),
    "mnli": ("MNLI.zip", "AX.tsv"),
    "qnli": ("QNLIv2.zip",),
    "rte": ("RTE.zip",),
    "wnli": ("WNLI.zip",),
}


@SOURCES.register("official")
def collect(
    task: Task,
    params: Params,
    folder: Path,
    *,
    pins: Mapping[str, Pin] = OFFICIAL,
    downloads: Path = DOWNLOADS,
) -> Collected:
    """Download one task's published files to `folder`; a zip stays a zip.

    Raises:
        DownloadError: a file could not be fetched, is not the pinned one, or is a zip with a
            member that would leave the folder it is unpacked in.
    """
    hosts: Official = params.data.sources.official
    wanted = {name: Wanted(address(name, hosts), pins[name]) for name in FILES[task.name]}
    fetch_all(wanted, folder, params.data.retry, downloads=downloads)
    for name, file in wanted.items():
        if name.endswith(".zip"):
            check_members(folder / name, file.url)
    layout: Layout = "msr" if task.name == "mrpc" else "zip"
    origins = {name: file.url for name, file in wanted.items()}
    return Collected("official", layout, task.licence, origins)


def address(name: str, hosts: Official) -> str:
    """URL of one published file."""
    host = hosts.senteval_url if name.startswith("msr_") else hosts.glue_url
    return f"{host.rstrip('/')}/{name}"


def check_members(path: Path, where: object) -> None:
    """Check the names of a zip's members; the members themselves are not read.

    Raises:
        DownloadError: not a zip, or a member's path leaves the folder or is a link.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile as error:
        raise DownloadError("not a zip file", seen=str(error), where=where) from None
    for member in members:
        if zip_members.leaves_folder(member):
            raise DownloadError(
                "a member of the zip would leave its folder",
                seen=repr(member.orig_filename),
                where=where,
                fix="do not use this file; take another data.source",
            )
