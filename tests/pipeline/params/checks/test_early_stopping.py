"""Early stopping: row caps that the check refuses are those that training would refuse.

The lines of the report are in faults.yaml.

Run with: python -m pytest tests/pipeline/params/checks/test_early_stopping.py
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from pipeline.errors import ParamsError, TrainingError
from pipeline.params import file
from pipeline.params.training import EarlyStopping
from pipeline.training.early_stopping import hold_out
from tests.pipeline.params.conftest import Values


def refuses(check: Callable[..., Any], *arguments: Any) -> bool:
    try:
        check(*arguments)
    except (ParamsError, TrainingError):
        return True
    return False


def test_what_is_refused_is_what_training_would_refuse(values: Values) -> None:
    refused = []
    for share, rows in product((0.1, 0.125, 0.3, 0.5, 0.7, 0.875, 0.9), range(1, 13)):
        values["student"]["early_stopping"] = {"share": share, "patience": 1}
        values["tasks"]["wnli"]["rows"]["train"] = rows
        stop, gold = EarlyStopping(share=share, patience=1), {"wnli": np.ones(rows, bool)}
        by_check, by_training = refuses(file.check, values), refuses(hold_out, gold, stop, 0)
        assert by_check == by_training, (share, rows)
        refused.append(by_check)
    assert 0 < sum(refused) < len(refused)
