"""`auto` of params.yaml replaced by values.

Run with: python -m pytest tests/pipeline/params/test_automatic.py
"""

from __future__ import annotations

import pytest

from pipeline.params import automatic, file
from pipeline.runtime import choices
from tests.conftest import ROOT

SAMPLE = (ROOT / "profiles" / "sample.yaml").read_text()


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch):
    monkeypatch.setattr(choices, "_cores", lambda: 8)


def test_values_replace_auto_and_comments_stay(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(SAMPLE.replace("precision: float32\n", "precision: auto\n"))
    assert automatic.replace(path) == {"machine.precision": "float32"}
    assert path.read_text() == SAMPLE


def test_both_are_replaced(tmp_path):
    path = tmp_path / "params.yaml"
    auto = SAMPLE.replace("precision: float32\n", "precision: auto\n").replace(
        "shards: 2 ", "shards: auto "
    )
    path.write_text(auto)
    assert automatic.replace(path) == {"machine.precision": "float32", "machine.shards": 8}
    assert file.load(path).machine.shards == 8


def test_a_file_without_auto_is_not_written(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(SAMPLE)
    path.chmod(0o400)
    before = path.stat()
    assert automatic.replace(path) == {}
    after = path.stat()  # reading may change the time of access
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
