"""What the numbers of a soft-label file must satisfy, each fault with the first row it is in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.alignment import Origin
from pipeline.parquet import Floats

SUM_TOLERANCE = 1e-5
"""Most by which a row's probabilities may miss 1; float32 rounding misses it by 1e-7 a class."""

RULE_TOLERANCE = 1e-6
"""Most by which a soft label may differ from what the rule makes of the logits.

Absolute below 1 and relative above it. Probabilities are stored as float32, 6e-8 from the float64
result at most; another machine's `exp` adds less than that.
"""


def check_simplex(values: Floats, ids: pa.ChunkedArray, origin: Origin) -> None:
    """Refuse rows that are no probabilities: a negative one, or a sum that is not 1.

    Args:
        values: probabilities `(rows, classes)`.
        ids: ids of the rows.
        origin: the file.

    Raises:
        SoftLabelError: names the first row.
    """
    _refuse_first((values < 0).any(axis=1), values, ids, "a probability is negative", origin)
    bad = np.abs(values.sum(axis=1, dtype=np.float64) - 1.0) > SUM_TOLERANCE
    _refuse_first(bad, values, ids, "probabilities do not add up to 1", origin)


def check_rule(
    rule: str, values: Floats, expected: Floats, ids: pa.ChunkedArray, origin: Origin
) -> None:
    """Refuse soft labels that are not what the rule makes of the members' logits.

    Args:
        rule: the rule named in the file.
        values: probabilities or scores in the file, `(rows, classes)`.
        expected: the same, computed from the logits in the file.
        ids: ids of the rows.
        origin: the file.

    Raises:
        SoftLabelError: names the first row.
    """
    allowed = RULE_TOLERANCE * np.maximum(1.0, np.abs(expected))
    bad = (np.abs(values - expected) > allowed).any(axis=1)
    fault = f"the soft label is not what {rule} makes of the members' logits"
    _refuse_first(bad, values, ids, fault, origin)


def _refuse_first(
    bad: Any, values: Floats, ids: pa.ChunkedArray, fault: str, origin: Origin
) -> None:
    if bad.any():
        at = int(np.argmax(bad))
        origin.refuse(fault, f"{ids[at].as_py()}: {values[at].tolist()}")
