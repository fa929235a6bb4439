"""Every fault between several keys: its line in the report, and that the commands in it fix it.

The cases stand in faults.yaml, by the module of pipeline/params/checks that reports them.

Run with: python -m pytest tests/pipeline/params/checks/test_faults.py
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.params import file, profiles
from tests.pipeline.params.conftest import SAMPLE, Values, commands, fixed, put_all

TABLE = file.read_yaml(Path(__file__).with_name("faults.yaml"))
FAULTS = [
    pytest.param(case["change"], case["line"], id=f"{module}-{case['line'].partition(': ')[0]}")
    for module, cases in TABLE["faults"].items()
    for case in cases
]
AGREEING = [
    pytest.param(change, id=f"{module}-{next(iter(change))}")
    for module, changes in TABLE["agreeing"].items()
    for change in changes
]


@pytest.mark.parametrize(("change", "line"), FAULTS)
def test_a_fault_gives_one_line_and_its_commands_fix_it(
    values: Values,
    faults: Callable[[Values], list[str]],
    change: Values,
    line: str,
    tmp_path: Path,
) -> None:
    put_all(values, change)
    assert faults(values) == [line]
    for command in commands(line):
        for after in fixed(values, command, tmp_path):
            file.check(after)


@pytest.mark.parametrize("change", AGREEING)
def test_settings_that_agree(values: Values, change: Values) -> None:
    file.check(put_all(values, change))


@pytest.mark.parametrize("folds", [["all"], [1, 2, 3]])
def test_no_command_leads_from_one_fault_to_another(
    faults: Callable[[Values], list[str]], folds: list[Any], tmp_path: Path
) -> None:
    values = profiles.values("glue-cpu", folder=SAMPLE.parent)
    values["ensemble"]["calibration"], values["teachers"]["folds"] = "held_out", folds
    (line,) = faults(values)
    both = commands(line)
    assert len(both) == 2
    for command in both:
        for after in fixed(values, command, tmp_path):
            file.check(after)
