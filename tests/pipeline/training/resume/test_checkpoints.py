"""Checkpoints come back as they were; torn, flipped and half-written ones are seen, two are kept.

Run with: python -m pytest tests/pipeline/training/resume/test_checkpoints.py
"""

from __future__ import annotations

import itertools
import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.runtime import artifacts
from pipeline.training.resume.checkpoints import (
    Checkpoint,
    CheckpointFolder,
    DamagedCheckpointError,
)

TENSORS = {
    "weights": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "half": torch.tensor([1.5, -0.0], dtype=torch.bfloat16),
    "step": torch.tensor(7.0),
    "text": torch.tensor([104, 105], dtype=torch.uint8),
    "none": torch.empty(0, 4),
}
FACTS = {"done": 3, "score": 0.1 + 0.2, "scaler": {"scale": 65536.0}, "code": "ä"}


@pytest.fixture
def checkpoints(tmp_path):
    """Checkpoints 1 and 2 of a run."""
    checkpoints = CheckpointFolder(tmp_path / "run")
    for number in (1, 2):
        checkpoints.write(number, Checkpoint(TENSORS, {**FACTS, "done": number}))
    return checkpoints


def test_what_is_read_is_what_was_written(checkpoints):
    checkpoint = checkpoints.read(2)
    assert checkpoint.facts == {**FACTS, "done": 2}
    assert set(checkpoint.tensors) == set(TENSORS)
    for name, tensor in TENSORS.items():
        assert checkpoint.tensors[name].dtype == tensor.dtype
        assert torch.equal(checkpoint.tensors[name], tensor), name


def test_two_are_kept(checkpoints):
    for number in (10, 9000, 1234567890):
        checkpoints.write(number, Checkpoint(TENSORS, FACTS))
    assert checkpoints.numbers() == [1234567890, 9000]
    assert len([file for file in checkpoints.folder.iterdir() if file.is_file()]) == 4


def test_there_are_none_before_the_first(tmp_path):
    checkpoints = CheckpointFolder(tmp_path / "run")
    checkpoints.clean()
    assert checkpoints.numbers() == []
    assert not checkpoints.folder.exists()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The files of one checkpoint, by suffix."""
    checkpoints = CheckpointFolder(tmp_path_factory.mktemp("written"))
    checkpoints.write(1, Checkpoint(TENSORS, FACTS))
    files = (file for file in checkpoints.folder.iterdir() if file.is_file())
    return {file.suffix: file.read_bytes() for file in files}


@given(data=st.data())
def test_any_flipped_bit_and_any_lost_end_is_seen(written, data):
    suffix = data.draw(st.sampled_from(sorted(written)))
    content = bytearray(written[suffix])
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[place] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del content[place:]
    with tempfile.TemporaryDirectory() as folder:
        for name, whole in {**written, suffix: bytes(content)}.items():
            (Path(folder) / f"000000001{name}").write_bytes(whole)
        try:
            checkpoint = CheckpointFolder(Path(folder)).read(1)
        except DamagedCheckpointError:
            return
    # What is left: JSON that says the same in other bytes, such as other white space.
    assert suffix == ".json"
    assert json.loads(content) == json.loads(written[suffix])
    assert checkpoint.facts == FACTS


@pytest.mark.parametrize("lost", [".json", ".safetensors"])
def test_a_lost_file_is_seen(checkpoints, lost):
    (checkpoints.folder / f"000000002{lost}").unlink()
    with pytest.raises(DamagedCheckpointError):
        checkpoints.read(2)


def test_what_is_not_finished_is_no_checkpoint_and_is_cleaned_away(checkpoints):
    torn = checkpoints.folder / "000000003.safetensors"  # its JSON file never came
    torn.write_bytes(b"\0" * 100)
    staging = checkpoints.folder / artifacts.STAGING / "run-000000004-1.safetensors"
    staging.write_bytes(b"\0" * 100)
    assert checkpoints.numbers() == [2, 1]
    checkpoints.clean()
    assert not torn.exists()
    assert not staging.exists()
    assert checkpoints.read(2).facts["done"] == 2


def test_killed_between_two_renames_a_write_leaves_no_checkpoint(checkpoints, monkeypatch):
    """The JSON file, which makes it one, is the second."""
    rename, calls = Path.replace, itertools.count(1)

    def replace(file, target):
        if next(calls) == 2:
            raise KeyboardInterrupt
        return rename(file, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.write(3, Checkpoint(TENSORS, FACTS))
    assert next(calls) == 3
    assert checkpoints.numbers() == [2, 1]


def test_killed_between_its_two_files_a_deletion_leaves_no_checkpoint(checkpoints, monkeypatch):
    delete = Path.unlink

    def unlink(file, missing_ok=False):
        delete(file, missing_ok)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "unlink", unlink)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.drop(2)
    assert checkpoints.numbers() == [1]


def test_a_failed_write_leaves_the_checkpoints_before(checkpoints, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(artifacts.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        checkpoints.write(3, Checkpoint(TENSORS, FACTS))
    checkpoints.clean()
    assert checkpoints.numbers() == [2, 1]
    assert np.array_equal(checkpoints.read(2).tensors["weights"], TENSORS["weights"])
    assert not any((checkpoints.folder / artifacts.STAGING).glob("*"))
