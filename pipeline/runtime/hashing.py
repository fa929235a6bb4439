"""Hash values that decide a result, arrays and weights included, into one SHA-256."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.runtime import memory_mapped

_CHUNK = 1 << 24  # bytes of an array copied at once, if it is not contiguous


def digest(value: Any) -> str:
    """SHA-256 of a value, in hex; the order of a mapping's keys does not matter.

    Args:
        value: None, text, numbers, numpy arrays, torch tensors, and mappings, sequences and
            dataclasses of these.

    Raises:
        TypeError: the value contains another type.
    """
    digest = hashlib.sha256()
    _add(digest, value)
    return digest.hexdigest()


def _add(digest: Any, value: Any) -> None:
    """Add a value; each part starts with its kind and length, so two values never look alike."""
    if isinstance(value, np.ndarray):
        _add(digest, ["array", str(value.dtype), list(value.shape)])
        _add_rows(digest, value)
    elif isinstance(value, Mapping):
        _add(digest, ["mapping", len(value)])
        for key in sorted(value):
            _add(digest, key)
            _add(digest, value[key])
    elif isinstance(value, (list, tuple)):
        digest.update(b"sequence %d\n" % len(value))
        for part in value:
            _add(digest, part)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        _add(digest, {name: getattr(value, name) for name in names})
    elif value is None or isinstance(value, (str, int, float)):
        text = json.dumps(value).encode()
        digest.update(b"value %d\n" % len(text) + text)
    else:
        _add_tensor(digest, value)


def _add_rows(digest: Any, array: np.ndarray) -> None:
    """An array's bytes, without a copy of the whole."""
    if array.flags.c_contiguous:
        for piece in memory_mapped.chunks(array.reshape(-1).view(np.uint8)) if array.size else ():
            digest.update(piece.data)
        return
    rows = max(1, _CHUNK * len(array) // array.nbytes)
    for start in range(0, len(array), rows):
        digest.update(np.ascontiguousarray(array[start : start + rows]).data)


def _add_tensor(digest: Any, value: Any) -> None:
    import torch

    if not isinstance(value, torch.Tensor):
        raise TypeError(f"no fingerprint of a {type(value).__name__}")
    flat = value.detach().cpu().contiguous().reshape(-1)
    _add(digest, ["tensor", str(value.dtype), list(value.shape)])
    _add_rows(digest, flat.view(torch.uint8).numpy() if len(flat) else np.empty(0, np.uint8))
