"""A task's raw folder, whatever the source."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from pipeline.data.sources import raw_folder
from pipeline.errors import DataError, DownloadError
from pipeline.params.file import check
from pipeline.runtime.artifacts import STAGING

OWN = {
    "title": "Own",
    "labels": ["no", "yes"],
    "sentence1": "s",
    "label": "l",
    "metrics": ["accuracy"],
}
ALL = {"train": None, "dev": None, "test": None}


@pytest.fixture
def local(params, tmp_path):
    """Parameters of the local source, with a task of one's own."""
    values = params.model_dump()
    values["data"].update(source="local", folder=str(tmp_path / "glue"))
    values["tasks"]["own"] = {"rows": ALL, "custom": OWN}
    (tmp_path / "glue" / "RTE").mkdir(parents=True)
    (tmp_path / "glue" / "RTE" / "train.tsv").write_bytes(b"a\tb\r\n")
    (tmp_path / "glue" / "own").mkdir()
    (tmp_path / "glue" / "own" / "dev.tsv").write_bytes(b"s\tl\n")
    return check(values)


def described(folder: Path) -> dict:
    return json.loads((folder / "source.json").read_text())


def test_source_json_says_what_the_files_are(local, tmp_path):
    folder = tmp_path / "raw" / "rte"
    collected = raw_folder.write("rte", local, folder)
    assert described(folder) == {
        "source": "local",
        "layout": "tsv",
        "task": "rte",
        "licence": "no open licence; research use (RTE challenges)",
        "files": {
            "train.tsv": {
                "bytes": 5,
                "sha256": hashlib.sha256(b"a\tb\r\n").hexdigest(),
                "from": "RTE/train.tsv",
            }
        },
        "missing": ["dev", "test"],
    }
    assert list(collected.notes("rte")) == [
        "rte: the local source has no dev, test; going on without"
    ]
    assert str(tmp_path) not in (folder / "source.json").read_text()


def test_a_missing_task_is_named_and_gone_on_with(local, tmp_path):
    folder = tmp_path / "raw" / "cola"
    collected = raw_folder.write("cola", local, folder)
    assert [path.name for path in folder.iterdir()] == ["source.json"]
    assert described(folder)["files"] == {}
    assert described(folder)["missing"] == ["train", "dev", "test"]
    assert list(collected.notes("cola")) == [
        "cola: the local source has no files of this task; going on without it"
    ]


def test_a_wrong_folder_leaves_earlier_files_untouched(local, tmp_path):
    folder = tmp_path / "raw" / "cola"
    raw_folder.write("cola", local, folder)
    before = (folder / "source.json").read_bytes()
    (tmp_path / "glue" / "RTE" / "train.tsv").unlink()
    with pytest.raises(DataError, match="none of the tasks"):
        raw_folder.write("cola", local, folder)
    assert (folder / "source.json").read_bytes() == before
    assert [path.name for path in folder.parent.iterdir() if path.name != STAGING] == ["cola"]
    assert not list(folder.parent.glob(f"{STAGING}/*"))


@pytest.mark.parametrize("source", ["sample", "local", "official", "hub"])
def test_a_task_of_ones_own_is_local_whatever_the_source(local, tmp_path, source):
    data = local.data.model_copy(update={"source": source})
    folder = tmp_path / "raw" / "own"
    raw_folder.write("own", local.model_copy(update={"data": data}), folder)
    assert described(folder)["layout"] == "custom"
    assert described(folder)["missing"] == ["train", "test"]
    assert (folder / "dev.tsv").read_bytes() == b"s\tl\n"


def test_a_definition_does_not_decide_the_raw_bytes(local, tmp_path):
    """Nor do row caps: dvc.yaml leaves both out of the download stage."""
    values = local.model_dump()
    other = {**OWN, "title": "Other", "labels": ["a", "b", "c"], "sentence1": "t"}
    values["tasks"]["own"] = {"rows": {**ALL, "train": 3}, "custom": other}
    for name, params in (("a", local), ("b", check(values))):
        raw_folder.write("own", params, tmp_path / name)
    written = [
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in "ab"
    ]
    assert written[0] == written[1]
    assert set(written[0]) == {"dev.tsv", "source.json"}


@pytest.mark.parametrize("task", ["rte", "mnli"])
def test_the_sample_is_written_as_generated(params, tmp_path, task):
    from pipeline.data.sample import files

    generated = files.generate(task, params.data.sources.sample)
    folder = tmp_path / "raw" / task
    raw_folder.write(task, params, folder)
    contents = {path.name: path.read_bytes() for path in folder.iterdir()}
    record = json.loads(contents.pop("source.json"))
    assert contents == generated
    assert (record["source"], record["layout"], record["missing"]) == ("sample", "tsv", [])
    assert {file["from"] for file in record["files"].values()} == {"sample"}
    assert "research use" not in record["licence"]


def test_the_same_source_gives_the_same_bytes(local, tmp_path):
    for name in ("a", "b"):
        raw_folder.write("rte", local, tmp_path / name)
    assert (tmp_path / "a" / "source.json").read_bytes() == (
        tmp_path / "b" / "source.json"
    ).read_bytes()


@pytest.mark.parametrize("fault", ["lie", 404])
def test_a_failed_download_leaves_no_folder(server, params, pin, tmp_path, fault):
    server.files["/glue/AX.tsv"] = b"ax"
    server.files["/glue/MNLI.zip"] = (
        b"PK\x05\x06" + bytes(18)  # a zip without members
    )
    pins = {path[6:]: pin(body) for path, body in server.files.items()}
    data = params.data.model_copy(update={"source": "official"})
    changed_params = params.model_copy(update={"data": data})
    server.faults["/glue/AX.tsv"] = [fault]
    folder, downloads = tmp_path / "raw" / "mnli", tmp_path / "downloads"
    with pytest.raises(DownloadError):
        raw_folder.write("mnli", changed_params, folder, pins=pins, downloads=downloads)
    assert not folder.exists()
    raw_folder.write("mnli", changed_params, folder, pins=pins, downloads=downloads)
    assert sorted(path.name for path in folder.iterdir()) == ["AX.tsv", "MNLI.zip", "source.json"]
    assert server.paths().count("/glue/MNLI.zip") == 1
    assert described(folder)["files"]["AX.tsv"]["from"] == f"{server.url}/glue/AX.tsv"


def test_a_rerun_of_the_stage_fetches_nothing_again(server, params, pin, tmp_path):
    """DVC deletes the raw folder before it runs the stage again."""
    server.files["/glue/RTE.zip"] = b"PK\x05\x06" + bytes(18)  # a zip without members
    pins = {"RTE.zip": pin(server.files["/glue/RTE.zip"])}
    data = params.data.model_copy(update={"source": "official"})
    changed_params, folder = params.model_copy(update={"data": data}), tmp_path / "raw" / "rte"
    written = []
    for _ in range(2):
        shutil.rmtree(folder, ignore_errors=True)
        raw_folder.write("rte", changed_params, folder, pins=pins, downloads=tmp_path / "downloads")
        written.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert written[0] == written[1]
    assert server.paths() == ["/glue/RTE.zip"]
