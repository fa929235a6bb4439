"""An array that grows is what was appended, whether it fits in memory or went to a file.

Run with: python -m pytest tests/pipeline/test_mapped.py
"""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import mapped, paths
from pipeline.mapped import Growing


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
def test_it_is_what_was_appended(sizes, kind, shape, held):
    random = np.random.default_rng(sum(sizes))
    parts = [random.integers(0, 2, (size, *shape)).astype(kind) for size in sizes]
    with mock.patch.object(mapped, "HELD", held):
        grown = Growing(kind, *shape)
        for part in parts:
            grown.append(part)
        found = grown.array()
    expected = np.concatenate([np.empty((0, *shape), kind), *parts])
    np.testing.assert_array_equal(found, expected, strict=True)


def test_a_large_array_is_mapped_and_leaves_no_file(scratch, monkeypatch):
    monkeypatch.setattr(mapped, "HELD", 100)
    grown = Growing(np.int64)
    for start in range(0, 1000, 10):
        grown.append(np.arange(start, start + 10))
        assert list(scratch.glob("*")) == []
    found = grown.array()
    assert isinstance(found.base, np.memmap)
    assert not found.flags.writeable
    assert found.tolist() == list(range(1000))


def test_a_small_array_needs_no_folder(scratch):
    grown = Growing(np.uint8)
    grown.append([1, 2])
    assert grown.array().tolist() == [1, 2]
    assert not scratch.exists()
