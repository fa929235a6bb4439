"""The README's table and picture are those of docs/evidence.json.

Run with: python -m pytest tests/experiments/test_readme.py
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from experiments import readme

ROOT = Path(__file__).resolve().parents[2]
SETTING = {
    "scores": {
        "baseline": {"rte": [50.0, 52.0], "cola": [1.0, 2.0]},
        "student": {"rte": [54.0, 56.0], "cola": [1.0, 1.0]},
        "ensemble": {"rte": [60.0, 60.0]},
    },
    "teachers": {"rte": {"m1": 57.0, "m2": 58.0}},
    "difference": {
        "rte": {"mean": 4.0, "low": 1.0, "high": 7.0, "seeds_only": [2.0, 6.0]},
        "cola": {"mean": -0.5, "low": -1.0, "high": -0.04, "seeds_only": [-1.0, 0.0]},
    },
    "difference_taught": {"mean": 4.0, "low": 1.5, "high": 6.5},
}


def test_scores_are_means_over_seeds_and_the_last_row_is_of_taught_tasks() -> None:
    rows = readme.frame(SETTING).set_index("task")
    assert list(rows.index) == ["CoLA", "RTE", readme.TAUGHT]
    assert rows.loc["RTE", ["teacher", "ensemble", "baseline", "student"]].tolist() == [
        57.5,
        60.0,
        51.0,
        55.0,
    ]
    assert rows.loc[readme.TAUGHT, ["baseline", "mean", "low"]].tolist() == [51.0, 4.0, 1.5]


def test_a_table_has_no_negative_zero_and_dashes_without_teachers() -> None:
    lines = readme.table(SETTING).split("\n")
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == [
        "CoLA",
        "-",
        "-",
        "1.5",
        "1.0",
        "-0.5 (-1.0 to 0.0)",
    ]


def test_the_readme_has_the_recorded_table() -> None:
    setting = json.loads((ROOT / "docs" / "evidence.json").read_text("utf-8"))["same"]
    page = (ROOT / "README.md").read_text("utf-8")
    block = page.partition(readme.BEGIN)[2].partition(readme.END)[0]
    assert block.strip() == readme.table(setting)


def test_a_picture_names_every_task(tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    path = tmp_path / "images" / "gain.svg"
    readme.picture(SETTING, path)
    drawn = path.read_text("utf-8")
    assert all(f">{name}<" in drawn for name in ("CoLA", "RTE", readme.TAUGHT))
