"""Streams of random numbers, one for each purpose, so that no draw disturbs another."""

from __future__ import annotations

import hashlib
from random import Random


def stream(seed: int, *names: str) -> Random:
    """Random numbers that depend on the seed and the names only, never on Python's `hash`."""
    key = hashlib.sha256("/".join([str(seed), *names]).encode()).digest()
    return Random(int.from_bytes(key, "big"))
