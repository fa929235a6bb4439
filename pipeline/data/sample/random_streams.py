"""Seed one random stream for each purpose, so that no draw changes another's."""

from __future__ import annotations

import hashlib
from random import Random


def stream(seed: int, *names: str) -> Random:
    """Random numbers that depend on the seed and the names only, never on Python's `hash`."""
    key = hashlib.sha256("/".join([str(seed), *names]).encode()).digest()
    return Random(int.from_bytes(key, "big"))
