"""The table of what stages cost, and what is said where there is none.

Run with: python -m pytest tests/stages/test_usage.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from pipeline.runtime import resource_usage
from stages import _cli
from stages.usage import app


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command line in this process, in an empty folder; exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_STAGE", raising=False)

    def call(*arguments: str) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["usage", *arguments])
        with pytest.raises(SystemExit) as end:
            _cli.run(app)
        return end.value.code or 0, *capsys.readouterr()

    return call


def put(stage: str, seconds: float) -> None:
    resource_usage.FOLDER.mkdir(parents=True, exist_ok=True)
    cost = {"stage": stage, "wall_seconds": seconds, "cpu_seconds": 2 * seconds, "peak_mib": 9.0}
    Path(resource_usage.FOLDER / f"{stage}.json").write_text(json.dumps(cost))


def test_instances_are_added_up_in_the_order_of_the_stages(run) -> None:
    for stage, seconds in (("distil", 1500), ("teach@rte-m1-all", 1.0), ("teach@rte-m2-all", 2.0)):
        put(stage, seconds)
    put("of_ones_own", 4)
    code, out, _ = run()
    assert code == 0
    assert [line.strip("| ").split() for line in out.replace("|", " ").splitlines()] == [
        ["stage", "runs", "wall", "seconds", "CPU", "seconds", "peak", "MiB"],
        [":------------", "-------:", "---------------:", "--------------:", "-----------:"],
        ["teach", "2", "3", "6", "9"],
        ["distil", "1", "1,500", "3,000", "9"],
        ["of_ones_own", "1", "4", "8", "9"],
    ]


def test_without_a_record_it_says_who_leaves_one(run) -> None:
    code, out, err = run()
    assert (code, out) == (2, "")
    assert err.startswith("error: no stage has left its cost here; only those that DVC runs do\n")
    assert "  where: scratch/usage\n  fix: make repro" in err


def test_help_names_what_is_read(run) -> None:
    assert "scratch/usage" in run("--help")[1]
