"""One table: settings next to each other on each task, and on the means at its end.

Run with: python -m pytest tests/pipeline/replication/test_table.py
"""

from __future__ import annotations

from typing import Any

from pipeline.replication import table


def interval(mean: float, deviation: float | None, low: float, high: float) -> dict[str, Any]:
    ends = None if deviation is None else [mean - 2, mean + 2]
    return {"mean": mean, "deviation": deviation, "low": low, "high": high, "seeds_only": ends}


# RTE has teachers, `kinds` is no task of GLUE: baseline 50 and 54, student 58 and 56 on RTE.
BASE: dict[str, Any] = {
    "changes": [],
    "seeds": [1, 2],
    "commits": ["1a2b3c4", "5d6e7f8"],
    "scores": {
        "baseline": {"rte": [50.0, 54.0], "wnli": [40.0, 40.0], "kinds": [10.0, 10.0]},
        "student": {"rte": [58.0, 56.0], "wnli": [40.0, 42.0], "kinds": [9.0, 10.0]},
    },
    "teachers": {"rte": {"m1": 55.0}},
    "difference": {
        "rte": interval(5, 4.2426, 1, 9),
        "wnli": interval(1, 1.4142, -3, 5),
        "kinds": interval(-0.04, 0.7071, -1, 0),
    },
    "difference_taught": interval(5, 4.2426, 1, 9),
    "difference_glue": interval(3, 1.4142, 0.5, 6),
}
AGAINST = {
    "setting": "base",
    "difference": {"rte": interval(-1, None, -2, 0.5)},
    "difference_taught": interval(-1, None, -2, 0.5),
    "difference_glue": interval(-0.5, None, -1, 0.25),
}
WARM = {
    "changes": ["distillation.temperature=2.0"],
    "seeds": [1],
    "commits": ["1a2b3c4"],
    "scores": {"baseline": {"rte": [50.0]}, "student": {"rte": [57.0]}},
    "teachers": {"rte": {"m1": 55.0}},
    "difference": {"rte": interval(7, None, 2, 11)},
    "difference_taught": interval(7, None, 2, 11),
    "difference_glue": interval(7, None, 2, 11),
    "against": AGAINST,
}


def test_one_setting() -> None:
    assert table.text({"base": BASE}).splitlines() == [
        "| Task | Setting | Seeds | Baseline | Student | - baseline | sd | t | bootstrap |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| RTE | base | 2 | 52.0 | 57.0 | +5.0 | 4.2 | 3.0 to 7.0 | 1.0 to 9.0 |",
        "| WNLI | base | 2 | 40.0 | 41.0 | +1.0 | 1.4 | -1.0 to 3.0 | -3.0 to 5.0 |",
        "| kinds | base | 2 | 10.0 | 9.5 | +0.0 | 0.7 | -2.0 to 2.0 | -1.0 to 0.0 |",
        "| Tasks with teachers | base | 2 | 52.0 | 57.0 | +5.0 | 4.2 | 3.0 to 7.0 | 1.0 to 9.0 |",
        "| GLUE score | base | 2 | 46.0 | 49.0 | +3.0 | 1.4 | 1.0 to 5.0 | 0.5 to 6.0 |",
        "",
        table.CAPTION,
        "",
        "- `base`, seeds 1, 2, run at 1a2b3c4, 5d6e7f8: params.yaml as it is",
    ]


def test_settings_are_next_to_each_other_and_compared() -> None:
    lines = table.text({"base": BASE, "warm": WARM}, ["warm-2"]).splitlines()
    heads, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("|")
    ]
    assert heads[9:] == ["against", "difference", "its t", "its bootstrap"]
    assert [row[:3] for row in rows] == [
        ["RTE", "base", "2"],
        ["RTE", "warm", "1"],
        ["WNLI", "base", "2"],
        ["kinds", "base", "2"],
        ["Tasks with teachers", "base", "2"],
        ["Tasks with teachers", "warm", "1"],
        ["GLUE score", "base", "2"],
        ["GLUE score", "warm", "1"],
    ]
    assert rows[0][9:] == ["-", "-", "-", "-"]
    assert rows[1][3:] == [
        "50.0",
        "57.0",
        "+7.0",
        "-",
        "-",
        "2.0 to 11.0",
        "base",
        "-1.0",
        "-",
        "-2.0 to 0.5",
    ]
    assert rows[7][9:] == ["base", "-0.5", "-", "-1.0 to 0.2"]
    assert lines[-3:] == [
        "- `warm`, seeds 1, run at 1a2b3c4: `distillation.temperature=2.0`",
        "",
        "Not finished with these parameters: warm-2.",
    ]
