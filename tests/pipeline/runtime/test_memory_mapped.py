"""An array that grows is what was appended, whether it fits in memory or went to a file.

Run with: python -m pytest tests/pipeline/runtime/test_memory_mapped.py
"""

from __future__ import annotations

import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import paths
from pipeline.runtime import memory_mapped
from pipeline.runtime.memory_mapped import MappedBuffer


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    monkeypatch.setenv(paths.SCRATCH, str(tmp_path / "scratch"))
    return tmp_path / "scratch"


@given(
    st.lists(st.integers(0, 40), max_size=6),
    st.sampled_from(["int32", "uint8", "int64", "float32", "bool"]),
    st.sampled_from([(), (1,), (3,)]),
    st.sampled_from([1, 64, 1 << 20]),
)
def test_it_is_what_was_appended(sizes, kind, shape, memory):
    random = np.random.default_rng(sum(sizes))
    parts = [random.integers(0, 2, (size, *shape)).astype(kind) for size in sizes]
    with mock.patch.object(memory_mapped, "MEMORY_BYTES", memory):
        grown = MappedBuffer(kind, *shape)
        for part in parts:
            grown.append(part)
        array = grown.array()
    expected = np.concatenate([np.empty((0, *shape), kind), *parts])
    np.testing.assert_array_equal(array, expected, strict=True)


def test_a_large_array_is_mapped_and_leaves_no_file(scratch, monkeypatch):
    monkeypatch.setattr(memory_mapped, "MEMORY_BYTES", 100)
    grown = MappedBuffer(np.int64)
    for start in range(0, 1000, 10):
        grown.append(np.arange(start, start + 10))
        assert list(scratch.glob("*")) == []
    array = grown.array()
    assert isinstance(array.base, np.memmap)
    assert not array.flags.writeable
    assert array.tolist() == list(range(1000))


def test_a_small_array_needs_no_folder(scratch):
    grown = MappedBuffer(np.uint8)
    grown.append([1, 2])
    assert grown.array().tolist() == [1, 2]
    assert not scratch.exists()


@pytest.mark.parametrize("memory", [24, 1 << 20])
@pytest.mark.parametrize("shape", [(), (3,)])
@pytest.mark.parametrize("rows", [0, 1, 7, 50])
def test_pieces_are_the_array(monkeypatch, memory, shape, rows):
    monkeypatch.setattr(memory_mapped, "MEMORY_BYTES", memory)
    values = np.arange(rows * max(1, *shape, 1)).reshape(rows, *shape)
    grown = MappedBuffer(np.int64, *shape)
    grown.append(values)
    pieces = [*memory_mapped.chunks(grown.array())]
    np.testing.assert_array_equal(np.concatenate([values[:0], *pieces]), values)
    assert all(piece.nbytes <= max(24, memory) for piece in pieces)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/smaps")
def test_what_was_read_of_a_mapped_array_is_given_back():
    grown = MappedBuffer(np.uint8)
    for _ in range(20):
        grown.append(np.ones(1 << 20))
    array = grown.array()
    assert sum(int(piece.sum()) for piece in memory_mapped.chunks(array)) == 20 << 20
    assert _resident(array) < 2 << 20
    assert int(array.sum()) == 20 << 20
    assert _resident(array) == 20 << 20


def _resident(array: np.ndarray) -> int:
    """Bytes of a mapped array that are resident."""
    start = f"{array.ctypes.data:x}-"
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    next(line for line in lines if line.startswith(start))
    return 1024 * int(next(line for line in lines if line.startswith("Rss:")).split()[1])
