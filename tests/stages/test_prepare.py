from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.data import rows
from tests import command_line

ROOT = Path(__file__).resolve().parents[2]
HEAD = b"index\tsentence1\tsentence2\tlabel\n"
GOOD = HEAD + b"0\tA.\tB.\tentailment\n1\tC.\tD.\tnot_entailment\n"


def put(project: Path, files: dict[str, bytes]) -> None:
    folder = project / "data" / "raw" / "rte"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    note = {"source": "local", "layout": "tsv", "files": {key: {} for key in files}}
    (folder / "source.json").write_text(json.dumps(note))


def prepare(project: Path, task: str = "rte") -> subprocess.CompletedProcess[str]:
    return command_line.run("prepare", "--task", task, folder=project)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


@pytest.fixture
def project(tmp_path):
    shutil.copy(ROOT / "profiles" / "sample.yaml", tmp_path / "params.yaml")
    return tmp_path


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A project in which the task has been prepared once."""
    project = tmp_path_factory.mktemp("done")
    shutil.copy(ROOT / "profiles" / "sample.yaml", project / "params.yaml")
    put(project, {"train.tsv": GOOD, "dev.tsv": GOOD})
    assert prepare(project).returncode == 0
    return project


def test_each_split_becomes_a_file_and_a_line(project):
    put(project, {"train.tsv": GOOD, "dev.tsv": GOOD})
    process = prepare(project)
    assert process.returncode == 0
    assert process.stdout.splitlines() == [
        "rte/train: 2 rows, partial (2 rows in the source, 2,490 officially)",
        "rte/dev: 2 rows, partial (2 rows in the source, 277 officially)",
    ]
    assert process.stderr.splitlines() == [
        "partial: rte/train: 2 rows in the source, 2,490 officially",
        "partial: rte/dev: 2 rows in the source, 277 officially",
        "missing: rte/test: not in this source; going on without it",
    ]
    splits = rows.read_splits(project / "data" / "prepared" / "rte")
    assert list(splits) == ["train", "dev"]
    assert splits["dev"].table["row_id"].to_pylist() == ["rte/dev/0", "rte/dev/1"]
    assert list((project / "data" / ".staging").iterdir()) == []


def test_a_split_that_the_source_no_longer_has_goes(project):
    for files in ({"train.tsv": GOOD, "dev.tsv": GOOD}, {"train.tsv": GOOD}):
        put(project, files)
        assert prepare(project).returncode == 0
    assert list(contents(project / "data" / "prepared" / "rte")) == ["train.parquet"]


def test_a_cap_is_told(project):
    params = project / "params.yaml"
    before = "rte: {rows: {train: null, dev: null, test: null}}"
    text = params.read_text()
    assert before in text
    params.write_text(text.replace(before, "rte: {rows: {train: 1, dev: null, test: null}}"))
    put(project, {"train.tsv": GOOD})
    assert prepare(project).stdout.splitlines() == [
        "rte/train: 1 rows, partial (2 rows in the source, 2,490 officially), cap 1"
    ]


def test_a_source_without_the_task_leaves_a_note_only(project):
    put(project, {})
    process = prepare(project)
    assert process.returncode == 0
    assert process.stderr.count("missing: rte/") == 3
    folder = project / "data" / "prepared" / "rte"
    assert list(contents(folder)) == [rows.MISSING]
    assert json.loads((folder / rows.MISSING).read_text()) == {
        "task": "rte",
        "source": "local",
        "missing": ["train", "dev", "test"],
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"index\tsentence1\tlabel\n0\tA.\tentailment\n",
            "missing column 'sentence2'\n"
            "  seen: 'index', 'sentence1', 'label'\n"
            "  where: data/raw/rte/dev.tsv, line 1\n"
            "  fix: check that the file is in the layout of its task\n",
        ),
        (
            GOOD + b"2\tE.\n",
            "short row: nothing in column 'sentence2'\n"
            "  seen: 2 cells of 4: ['2', 'E.']\n"
            "  where: data/raw/rte/dev.tsv, line 4\n"
            "  fix: fix the row, or fetch the file again\n",
        ),
        (
            GOOD + b"2\tE.\tF.\tmaybe\n",
            "unknown label\n"
            "  seen: 'maybe'; allowed: entailment, not_entailment\n"
            "  where: data/raw/rte/dev.tsv, line 4, column 'label'\n"
            "  fix: fix or take out the row\n",
        ),
        (
            GOOD + b"2\tE\xe9.\tF.\tentailment\n",
            "not valid UTF-8\n"
            "  seen: byte 0xe9 at byte 4 of the line\n"
            "  where: data/raw/rte/dev.tsv, line 4, column 2\n"
            "  fix: save the file as UTF-8, or fetch it again\n",
        ),
        (
            b"",
            "the file is empty\n  where: data/raw/rte/dev.tsv\n  fix: fetch the file again\n",
        ),
    ],
    ids=["missing column", "short row", "unknown label", "invalid UTF-8", "empty file"],
)
def test_a_fault_gives_one_message_and_leaves_earlier_rows_as_they_are(prepared, content, message):
    folder = prepared / "data" / "prepared" / "rte"
    before = contents(folder)
    put(prepared, {"train.tsv": GOOD, "dev.tsv": content})
    process = prepare(prepared)
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr == f"error: {message}"
    assert contents(folder) == before
    assert list((prepared / "data" / ".staging").iterdir()) == []


def ask(project, transfer, train="null"):
    """Write params.yaml with transfer rows of RTE."""
    text = (ROOT / "profiles" / "sample.yaml").read_text()
    before = "rte: {rows: {train: null, dev: null, test: null}}"
    assert before in text
    text = text.replace(before, before.replace("train: null", f"train: {train}"))
    lines = [f"transfer: {transfer}" if x.startswith("transfer:") else x for x in text.split("\n")]
    (project / "params.yaml").write_text("\n".join(lines))


MORE = HEAD + b"".join(b"%d\tA%d.\tB.\tentailment\n" % (i, i) for i in range(20))


def test_transfer_rows_are_told_and_leave_prepared_rows_as_they_are(project):
    put(project, {"train.tsv": MORE, "dev.tsv": GOOD})
    prepared, transfer = (project / "data" / kind / "rte" for kind in ("prepared", "transfer"))
    ask(project, "{}", train=5)
    assert prepare(project).returncode == 0
    before = contents(prepared)
    assert json.loads((transfer / rows.MISSING).read_text()) == {
        "task": "rte",
        "note": "rte: none asked for, no transfer rows",
    }
    ask(project, "{rte: {source: rest, rows: 3}}", train=5)
    process = prepare(project)
    assert process.returncode == 0
    assert process.stdout.splitlines()[-1] == (
        "rte/transfer: 3 of 15 rows (source rest): 0 dropped as duplicates, "
        "0 left out as they occur in dev or test"
    )
    assert contents(prepared) == before
    assert list(contents(transfer)) == ["transfer.parquet"]
    first = contents(transfer)
    assert prepare(project).returncode == 0
    assert contents(transfer) == first


def test_rows_left_out_as_they_are_held_out_are_named(project):
    put(project, {"train.tsv": MORE, "dev.tsv": HEAD + MORE.splitlines(keepends=True)[1]})
    ask(project, "{rte: {source: rest, rows: null}}", train=5)
    assert (
        prepare(project)
        .stdout.splitlines()[-1]
        .endswith("1 left out as they occur in dev or test (rte/transfer/rest/0 is rte/dev/0)")
    )


def test_transfer_rows_that_cannot_be_had_leave_both_folders_as_they_are(project):
    put(project, {"train.tsv": MORE, "dev.tsv": GOOD})
    ask(project, "{rte: {source: rest, rows: 3}}", train=5)
    assert prepare(project).returncode == 0
    folders = [project / "data" / kind / "rte" for kind in ("prepared", "transfer")]
    before = [contents(folder) for folder in folders]
    ask(project, "{rte: {source: test, rows: null}}", train=7)
    process = prepare(project)
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.startswith("error: the source has no test split of rte\n")
    assert [contents(folder) for folder in folders] == before
    assert list((project / "data" / ".staging").iterdir()) == []


def test_an_absent_task_leaves_a_note_in_both_folders(project):
    put(project, {})
    ask(project, "{rte: {source: rest, rows: 3}}", train=5)
    assert prepare(project).returncode == 0
    for kind in ("prepared", "transfer"):
        assert list(contents(project / "data" / kind / "rte")) == [rows.MISSING]


@pytest.mark.parametrize(
    ("task", "message"),
    [("rtee", "no such name under tasks"), ("wnli", "no raw files of the task")],
)
def test_a_task_that_is_not_there_is_named(prepared, task, message):
    process = prepare(prepared, task)
    assert process.returncode == 2
    assert message in process.stderr
    assert "Traceback" not in process.stderr
