"""Equal values have one fingerprint, and every difference that matters gives another.

Run with: python -m pytest tests/pipeline/runtime/test_hashing.py
"""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import pytest
import torch

from pipeline.model.tokenization import Tokens
from pipeline.runtime import hashing

DIFFERENT = [
    None,
    "",
    "a",
    "1",
    1,
    1.0,
    True,
    [],
    ["a", "b"],
    ["ab"],
    [["a"], "b"],
    {},
    {"a": 1, "b": 2},
    {"a": 2, "b": 1},
    np.zeros(4, np.int32),
    np.zeros(2, np.int64),
    np.zeros((2, 2), np.int32),
    np.zeros(4, np.float32),
    np.array([0.0, 0.0, 0.0, -0.0], np.float32),
    np.empty(0, np.float32),
    torch.zeros(4),
    torch.zeros(4, dtype=torch.bfloat16),
    torch.zeros(8, dtype=torch.bfloat16),
    torch.empty(0),
]


def test_no_two_have_the_same():
    digests = [hashing.digest(value) for value in DIFFERENT]
    assert len(set(digests)) == len(digests)


def test_it_is_a_plain_sha_256():
    assert hashing.digest("a") == hashlib.sha256(b'value 3\n"a"').hexdigest()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ([1, 2], (1, 2)),
        (np.arange(6).reshape(2, 3).T, np.ascontiguousarray(np.arange(6).reshape(2, 3).T)),
        (torch.arange(6).reshape(2, 3).T, torch.arange(6).reshape(2, 3).T.contiguous()),
    ],
)
def test_what_does_not_matter(one, other):
    assert hashing.digest(one) == hashing.digest(other)


def test_every_array_of_the_tokens_counts():
    arrays = [np.arange(4, dtype=np.int32), np.zeros(4, np.uint8), np.ones(4, np.uint8)]
    offsets = np.array([0, 4])
    digests = {hashing.digest(Tokens(*arrays, offsets, 0, True))}
    for place, pad in itertools.product(range(3), (0, 1)):
        changed = [*arrays]
        changed[place] = arrays[place][::-1] if place == 0 else arrays[place] + 1
        digests.add(hashing.digest(Tokens(*changed, offsets, pad, True)))
    assert len(digests) == 7


def test_other_things_are_refused():
    with pytest.raises(TypeError, match="object"):
        hashing.digest({"a": object()})
