"""The published zips and tables, from a server with the same layout."""

from __future__ import annotations

import io
import random
import stat
import tracemalloc
import zipfile

import pytest

from pipeline.data.sources import official
from pipeline.errors import DownloadError
from pipeline.tasks import GLUE

ROWS = b"index\tsentence1\tsentence2\tlabel\n0\ta\tb\tentailment\n"
MSR = ("msr_paraphrase_train.txt", "msr_paraphrase_test.txt")


def zipped(*members: str | zipfile.ZipInfo) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member in members:
            archive.writestr(member, ROWS)
    return buffer.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member


@pytest.fixture
def collect(server, params, pin, tmp_path):
    """Collect a task from the server, all files pinned as they are there."""

    def collect(task):
        pins = {path.rpartition("/")[2]: pin(body) for path, body in server.files.items()}
        out = tmp_path / "out"
        out.mkdir(exist_ok=True)
        return official.collect(
            GLUE[task], params, out, pins=pins, downloads=tmp_path / "downloads"
        )

    return collect


@pytest.fixture
def whole(server):
    """Every published file, each with its own bytes."""
    for files in official.FILES.values():
        for name in files:
            folder = "senteval" if name in MSR else "glue"
            body = zipped(f"{name}/train.tsv") if name.endswith(".zip") else name.encode()
            server.files[f"/{folder}/{name}"] = body


@pytest.mark.parametrize(
    ("task", "paths", "layout"),
    [
        ("cola", ["/glue/CoLA.zip"], "zip"),
        ("sst2", ["/glue/SST-2.zip"], "zip"),
        ("stsb", ["/glue/STS-B.zip"], "zip"),
        ("qqp", ["/glue/QQP-clean.zip"], "zip"),
        ("qnli", ["/glue/QNLIv2.zip"], "zip"),
        ("rte", ["/glue/RTE.zip"], "zip"),
        ("wnli", ["/glue/WNLI.zip"], "zip"),
        ("mnli", ["/glue/MNLI.zip", "/glue/AX.tsv"], "zip"),
        ("mrpc", [*(f"/senteval/{name}" for name in MSR), "/glue/mrpc_dev_ids.tsv"], "msr"),
    ],
)
def test_each_task_has_its_files(collect, server, whole, tmp_path, task, paths, layout):
    collected = collect(task)
    assert server.paths() == paths
    assert (collected.source, collected.layout, collected.missing) == ("official", layout, ())
    assert collected.origins == {path.rpartition("/")[2]: server.url + path for path in paths}
    contents = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert contents == {path.rpartition("/")[2]: server.files[path] for path in paths}


def test_the_default_hosts(request):
    from pipeline.params.file import load

    hosts = load(request.config.rootpath / "profiles" / "sample.yaml").data.sources.official
    assert official.address("RTE.zip", hosts) == "https://dl.fbaipublicfiles.com/glue/data/RTE.zip"
    assert official.address(MSR[0], hosts) == (
        "https://dl.fbaipublicfiles.com/senteval/senteval_data/msr_paraphrase_train.txt"
    )


def test_a_lying_server_leaves_nothing(collect, server, whole, tmp_path):
    server.faults["/glue/RTE.zip"] = ["lie"]
    with pytest.raises(DownloadError, match="not the file that was pinned"):
        collect("rte")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    "member",
    [
        "../evil.tsv",
        "RTE/../../evil.tsv",
        "/etc/evil.tsv",
        "..",
        "RTE\\..\\..\\evil.tsv",
        "RTE\\evil.tsv",
        "\\\\h\\x\\evil.tsv",
        "C:evil.tsv",
        "C:/evil.tsv",
        link("RTE/train.tsv"),
    ],
)
def test_a_zip_that_would_leave_its_folder_is_refused(collect, server, member):
    server.files["/glue/RTE.zip"] = zipped("RTE/dev.tsv", member)
    with pytest.raises(DownloadError, match="would leave its folder") as error:
        collect("rte")
    assert str(error.value.where).endswith("/glue/RTE.zip")


def test_odd_names_that_stay_inside_are_no_fault(collect, server):
    server.files["/glue/RTE.zip"] = zipped("RTE/..tsv", "RTE/a..b/c:d", "__MACOSX/._x", "Icon\r")
    assert collect("rte").layout == "zip"


@pytest.mark.parametrize("body", [b"<html>no zip</html>", zipped("RTE/dev.tsv")[:-30]])
def test_what_is_no_zip_is_refused(collect, server, body):
    server.files["/glue/RTE.zip"] = body
    with pytest.raises(DownloadError, match="not a zip file"):
        collect("rte")


def test_a_large_zip_is_never_held_in_memory(collect, server, tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("MNLI/train.tsv", random.Random(1).randbytes(24_000_000))
    server.files = {"/glue/MNLI.zip": buffer.getvalue(), "/glue/AX.tsv": ROWS}
    del buffer
    tracemalloc.start()
    try:
        collect("mnli")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000
    assert (tmp_path / "out" / "MNLI.zip").stat().st_size > 24_000_000
