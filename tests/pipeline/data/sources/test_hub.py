"""Parquet files from a server with the Hub's addresses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.data.sources import hub, hub_paths
from pipeline.errors import DownloadError
from pipeline.params.file import load
from pipeline.tasks import GLUE

TAIL = "-00000-of-00001.parquet"
SAMPLE = Path(__file__).resolve().parents[4] / "profiles" / "sample.yaml"
REVISION = load(SAMPLE).data.sources.hub.revision
BASE = f"/datasets/nyu-mll/glue/resolve/{REVISION}/"


@pytest.fixture
def whole(server, pin):
    """Every file of the data set, each with its own bytes; gives the pins."""
    pins = {}
    for name, task in GLUE.items():
        for split in task.rows:
            path = hub_paths.hub_path(name, split)
            server.files[BASE + path] = b"PAR1 " + path.encode()
            pins[path] = pin(server.files[BASE + path])
    return pins


@pytest.fixture
def collect(server, params, whole, tmp_path, monkeypatch):
    """Collect a task, with the addresses of the local server."""
    from huggingface_hub import constants

    template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    out = tmp_path / "out"
    out.mkdir()
    return lambda task: hub.collect(
        GLUE[task], params, out, pins=whole, downloads=tmp_path / "downloads"
    )


def test_files_come_under_flat_names(collect, server, tmp_path):
    collected = collect("mnli")
    splits = ["train", "validation_matched", "validation_mismatched"]
    flat = [f"{split}{TAIL}" for split in [*splits, "test_matched", "test_mismatched", "ax-test"]]
    assert list(collected.origins) == flat
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(flat)
    assert (tmp_path / "out" / flat[-1]).read_bytes() == f"PAR1 ax/test{TAIL}".encode()
    assert collected.origins[flat[-1]] == f"hf://datasets/nyu-mll/glue@{REVISION}/ax/test{TAIL}"
    assert (collected.source, collected.layout, collected.missing) == ("hub", "parquet", ())
    assert server.paths()[0] == f"{BASE}mnli/train{TAIL}"


def test_a_broken_line_is_resumed(collect, server):
    path = f"{BASE}rte/train{TAIL}"
    server.files[path] = server.files[path]
    server.faults[path] = ["truncate", 503]
    collect("rte")
    size = len(server.files[path]) // 2
    assert server.sent("Range")[:3] == [None, f"bytes={size}-", f"bytes={size}-"]


def test_a_lie_is_found(collect, server):
    server.faults[f"{BASE}rte/test{TAIL}"] = ["lie"]
    with pytest.raises(DownloadError, match="not the file that was pinned"):
        collect("rte")


def test_the_token_does_not_follow_to_another_host(collect, server):
    path = f"{BASE}wnli/train{TAIL}"
    server.files[f"/cdn{path}"] = server.files[path]
    server.faults[path] = ["elsewhere"]
    collect("wnli")
    assert server.paths()[:2] == [path, f"/cdn{path}"]
    assert server.sent("Authorization")[:3] == ["Bearer hf_secret", None, "Bearer hf_secret"]


def test_offline_says_what_works_without_a_network(params, tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE") as error:
        hub.collect(GLUE["rte"], params, tmp_path, downloads=tmp_path / "downloads")
    assert "stages.profile apply sample" in str(error.value)
    assert "data.source=local" in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_offline_kept_files_are_used(collect, server, tmp_path, monkeypatch):
    from huggingface_hub import constants

    first = collect("rte")
    server.requests.clear()
    for path in (tmp_path / "out").iterdir():
        path.unlink()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert collect("rte") == first
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(first.origins)
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE"):
        collect("wnli")
    assert server.requests == []


PROGRAM = """
import json, sys
from pathlib import Path
from pipeline.params.file import load
from pipeline.data.sources import hub
from pipeline.data.sources.checksums import Pin
from pipeline.tasks import GLUE
pins = {path: Pin(*pin) for path, pin in json.load(sys.stdin).items()}
Path("out").mkdir()
hub.collect(GLUE["wnli"], load(Path(sys.argv[1])), Path("out"), pins=pins)
"""


def test_endpoint_and_token_come_from_the_environment(server, whole, tmp_path, request):
    """And nothing is written outside the folder the program runs in, home included."""
    root = request.config.rootpath
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    away = ("HF_HUB_OFFLINE", "HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME")
    given = {name: value for name, value in os.environ.items() if name not in away}
    environment = {
        **given,
        "HF_ENDPOINT": server.url,
        "HF_TOKEN": "hf_secret",
        "HOME": str(home),
        "PYTHONPATH": str(root),
    }
    subprocess.run(
        [sys.executable, "-c", PROGRAM, str(SAMPLE)],
        cwd=work,
        env=environment,
        input=json.dumps({path: (pin.bytes, pin.sha256) for path, pin in whole.items()}),
        text=True,
        check=True,
        capture_output=True,
    )
    splits = ("train", "validation", "test")
    assert server.paths() == [f"{BASE}wnli/{split}{TAIL}" for split in splits]
    assert set(server.sent("Authorization")) == {"Bearer hf_secret"}
    assert len(list((work / "out").iterdir())) == 3
    assert list(home.rglob("*")) == []
    assert {path.relative_to(work).parts[0] for path in work.rglob("*")} == {"out", "scratch"}
    assert Path(work / "scratch").is_dir()
