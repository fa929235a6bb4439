from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pipeline.data import rows
from pipeline.runtime import artifacts
from tests import command_line

ROOT = Path(__file__).resolve().parents[2]
NAMES = {"task": "rte", "member": "m1", "fold": "all"}


def label(project: Path, **names: str) -> subprocess.CompletedProcess[str]:
    options = [text for name, value in {**NAMES, **names}.items() for text in (f"--{name}", value)]
    return command_line.run("label", *options, folder=project)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project that asks for transfer rows of RTE, which its source does not have."""
    folder = tmp_path_factory.mktemp("project")
    lines = (ROOT / "profiles" / "sample.yaml").read_text().split("\n")
    transfer = "transfer: {rte: {source: test, rows: 5}}"
    lines = [transfer if line.startswith("transfer:") else line for line in lines]
    (folder / "params.yaml").write_text("\n".join(lines))
    for path in ("data/transfer/rte", "data/teachers/rte/m1/all"):
        (folder / path).mkdir(parents=True)
        artifacts.write_json(folder / path / rows.MISSING, {})
    return folder


def test_a_task_that_the_source_lacks_leaves_a_note(project):
    process = label(project)
    assert (process.returncode, process.stdout) == (0, "")
    assert process.stderr == "rte: no transfer rows, nothing to label\n"
    files = [file.name for file in (project / "data/logits/rte/m1/all/transfer").iterdir()]
    assert files == [rows.MISSING]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"task": "qqp"}, "no such name under transfer; there are: rte"),
        ({"member": "m9"}, "no such name under teachers.members; there are: m1, m2, m3"),
        ({"fold": "1"}, "no such name under teachers.folds; there are: all"),
    ],
)
def test_a_name_that_is_not_there_is_told(project, names, message):
    process = label(project, **names)
    assert process.returncode == 2
    assert process.stderr.startswith(f"error: {message}\n")


def test_a_teacher_that_is_not_there_is_told(project, tmp_path):
    (tmp_path / "params.yaml").write_text((project / "params.yaml").read_text())
    process = label(tmp_path)
    assert process.returncode == 2
    assert "fix: dvc repro prepare@rte" in process.stderr
    assert "Traceback" not in process.stderr
