"""Streams of random numbers.

Run: pytest tests/pipeline/data/sample/test_random_streams.py
"""

from __future__ import annotations

import hashlib
from random import Random

from pipeline.data.sample.random_streams import stream


def test_a_stream_depends_on_seed_and_names_only():
    key = int.from_bytes(hashlib.sha256(b"7/cola/train").digest(), "big")
    assert stream(7, "cola", "train").random() == Random(key).random()
    drawn = {stream(seed, name).random() for seed in (1, 2) for name in ("cola", "rte")}
    assert len(drawn) == 4
