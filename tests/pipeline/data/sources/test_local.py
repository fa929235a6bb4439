"""Files of a local folder, in whatever layout it has them."""

from __future__ import annotations

import errno
import shutil

import pytest

from pipeline.data.sources import local
from pipeline.errors import DataError
from pipeline.tasks import GLUE

TAIL = "-00000-of-00001.parquet"
MNLI_SPLITS = ("train", "dev_matched", "dev_mismatched", "test_matched", "test_mismatched")


@pytest.fixture
def fill(tmp_path):
    """Write files of distinct bytes; give the folder they lie in."""
    root = tmp_path / "glue"
    root.mkdir()

    def fill(*paths):
        for path in paths:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(b"\xef\xbb\xbf\r\n\xff " + path.encode())
        return root

    return fill


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


CASES = [
    ("rte", ["RTE/train.tsv", "RTE/dev.tsv", "RTE/test.tsv"], "tsv", None, []),
    ("rte", ["rte/train.tsv", "rte/dev.tsv"], "tsv", None, ["test"]),
    ("rte", ["RTE/dev.tsv"], "tsv", None, ["train", "test"]),
    ("sst2", ["SST-2/train.tsv", "SST-2/dev.tsv", "SST-2/notes.tsv"], "tsv", 2, ["test"]),
    ("rte", [f"rte/{s}{TAIL}" for s in ("train", "validation", "test")], "parquet", None, []),
    ("rte", [f"rte/train{TAIL}", f"rte/validation{TAIL}"], "parquet", None, ["test"]),
    ("rte", ["RTE/dev.tsv", f"rte/train{TAIL}", f"rte/test{TAIL}"], "parquet", 2, ["dev"]),
    ("mrpc", ["MRPC/train.tsv", "MRPC/dev.tsv", "MRPC/test.tsv"], "tsv", None, []),
    (
        "mrpc",
        [
            "MRPC/train.tsv",
            "MRPC/dev.tsv",
            "MRPC/test.tsv",
            "MRPC/msr_paraphrase_train.txt",
            "MRPC/mrpc_dev_ids.tsv",
        ],
        "tsv",
        3,
        [],
    ),
    ("mrpc", ["MRPC/msr_paraphrase_train.txt", "MRPC/mrpc_dev_ids.tsv"], "msr", None, ["test"]),
    (
        "mrpc",
        [
            "MRPC/dev.tsv",
            "MRPC/msr_paraphrase_train.txt",
            "MRPC/mrpc_dev_ids.tsv",
            "MRPC/msr_paraphrase_test.txt",
        ],
        "msr",
        3,
        [],
    ),
    ("mrpc", ["MRPC/msr_paraphrase_train.txt", "MRPC/dev.tsv"], "tsv", 1, ["train", "test"]),
    (
        "mnli",
        [*(f"MNLI/{split}.tsv" for split in MNLI_SPLITS), "diagnostic/diagnostic.tsv"],
        "tsv",
        None,
        [],
    ),
    (
        "mnli",
        ["MNLI/train.tsv", "AX/AX.tsv"],
        "tsv",
        2,
        ["dev_matched", "dev_mismatched", "test_matched", "test_mismatched"],
    ),
    ("mnli", ["AX.tsv"], "tsv", 1, list(MNLI_SPLITS)),
    ("mnli", [f"ax/test{TAIL}"], "parquet", 1, list(MNLI_SPLITS)),
    (
        "mnli",
        ["diagnostic/diagnostic.tsv", f"mnli/train{TAIL}", f"mnli/validation_matched{TAIL}"],
        "parquet",
        2,
        ["dev_mismatched", "test_matched", "test_mismatched", "ax"],
    ),
    ("cola", ["RTE/train.tsv"], "tsv", 0, ["train", "dev", "test"]),
    ("cola", ["CoLA/train.tsv/oops.tsv"], "tsv", 0, ["train", "dev", "test"]),
]


@pytest.mark.parametrize(("task", "paths", "layout", "count", "missing"), CASES)
def test_layouts_are_told_apart(fill, out, task, paths, layout, count, missing):
    """`count` is the number of files taken; None stands for all."""
    root = fill(*paths)
    collected = local.collect(GLUE[task], root, out)
    assert (collected.source, collected.layout) == ("local", layout)
    assert list(collected.missing) == missing
    assert len(collected.origins) == (len(paths) if count is None else count)
    assert {path.name for path in out.iterdir()} == set(collected.origins)
    for name, origin in collected.origins.items():
        assert origin in paths
        assert (out / name).read_bytes() == (root / origin).read_bytes()


def test_the_diagnostic_set_has_one_name_a_layout(fill, out):
    local.collect(GLUE["mnli"], fill("AX/test.tsv"), out)
    assert [path.name for path in out.iterdir()] == ["diagnostic.tsv"]


def test_hub_files_get_flat_names(fill, out):
    local.collect(GLUE["mnli"], fill(f"mnli/validation_matched{TAIL}", f"ax/test{TAIL}"), out)
    assert sorted(p.name for p in out.iterdir()) == [f"ax-test{TAIL}", f"validation_matched{TAIL}"]


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_no_such_folder(tmp_path, out, kind):
    root = tmp_path / "none"
    if kind == "file":
        root.write_text("x")
    with pytest.raises(DataError, match="folder") as error:
        local.collect(GLUE["rte"], root, out)
    assert error.value.where == root
    assert "data.folder" in str(error.value.fix)


def test_a_folder_with_none_of_the_tasks_is_the_wrong_folder(fill):
    root = fill("photos/cat.tsv", "RTE/train.tsv")
    local.require_any(["cola", "rte"], root)
    with pytest.raises(
        DataError, match=r"none of the tasks in params.yaml \(CoLA, WNLI\)"
    ) as error:
        local.require_any(["cola", "wnli"], root)
    assert error.value.seen == "RTE, photos"


def test_a_long_folder_is_shown_in_part(fill):
    with pytest.raises(DataError) as error:
        local.require_any(["rte"], fill(*(f"{n:02}.txt" for n in range(20))))
    assert str(error.value.seen).endswith("11.txt, ...")


def test_an_empty_folder(fill):
    with pytest.raises(DataError) as error:
        local.require_any(["rte"], fill())
    assert error.value.seen == "no files"


@pytest.mark.parametrize(
    ("paths", "missing"),
    [
        (["own/train.tsv", "own/dev.tsv", "own/test.tsv"], ()),
        (["own/train.tsv", "own/dev.tsv", "own/notes.txt"], ("test",)),
    ],
)
def test_a_task_of_ones_own(fill, out, paths, missing):
    collected = local.collect_custom("own", fill(*paths), out)
    assert collected.layout == "custom"
    assert collected.missing == missing
    assert {path.name for path in out.iterdir()} == {
        path.partition("/")[2] for path in paths if path.endswith(".tsv")
    }


def test_a_task_of_ones_own_without_files(fill, out):
    with pytest.raises(DataError, match="no files of your task own") as error:
        local.collect_custom("own", fill("RTE/train.tsv"), out)
    assert str(error.value.where).endswith("own")


def test_a_full_disk_is_told_as_it_is(fill, out, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    root = fill("RTE/train.tsv")
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space left"):
        local.collect(GLUE["rte"], root, out)


def test_the_real_files(real_glue, out):
    missing = {}
    for name, task in GLUE.items():
        (out / name).mkdir()
        collected = local.collect(task, real_glue, out / name)
        assert collected.layout == "tsv"
        missing[name] = collected.missing
    assert {name: splits for name, splits in missing.items() if splits} == {
        "qqp": ("test",),
        "mnli": ("test_matched", "test_mismatched"),
    }
