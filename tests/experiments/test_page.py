"""The tables say what the figures say, and the committed page is of the committed figures.

Run with: python -m pytest tests/experiments/test_page.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from experiments import page as evidence_page
from experiments.run import FIGURES
from pipeline.errors import DataError

ROOT = Path(__file__).resolve().parents[2]


def span(
    mean: float, low: float, high: float, by_t: tuple[float, float] | None = (-2.0, 12.0)
) -> dict[str, object]:
    return {"mean": mean, "low": low, "high": high, "seeds_only": by_t}


# RTE has teachers: baseline 50 and 54, ensemble 60, student 58 and 56; so 8/10 and 2/6 are kept,
# and 5/8 of the means.
HALF: dict[str, Any] = {
    "title": "half the depth",
    "group": "main",
    "seeds": [1, 2],
    "scores": {
        "baseline": {"rte": [50.0, 54.0], "wnli": [40.0, 40.0]},
        "student": {"rte": [58.0, 56.0], "wnli": [40.0, 42.0]},
        "ensemble": {"rte": [60.0, 60.0]},
    },
    "teachers": {"rte": {"m1": 55.0, "m2": 58.0}},
    "difference": {"rte": span(5, 1, 9), "wnli": span(1, -3, 5)},
    "difference_taught": span(5, 1, 9),
    "kept": 0.625,
}
HOT = {
    **HALF,
    "title": "hot",
    "group": "losses",
    "against": {"setting": "paper", **span(-0.25, -1, 0.5, (-0.96, 0.46))},
}


def test_a_setting_of_the_main_group() -> None:
    assert evidence_page.tables({"half": HALF}).splitlines() == [
        "### Group *main*",
        "",
        "**Half the depth** (`half`, seeds 1, 2): above its baseline on 2 of 2 tasks on the mean, "
        "by seed on 1, 2; on the tasks with teachers +5.0 (1.0 to 9.0) points; over seeds "
        "alone, by t: -2.0 to 12.0; 62 % of the ensembles' lead kept, by seed 80 %, 33 %.",
        "",
        "| Task | Single teachers | Ensemble | Baseline | Student | Difference (95 %) |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        "| RTE | 56.5 | 60.0 | 52.0 ± 2.8 | 57.0 ± 1.4 | +5.0 (1.0 to 9.0) |",
        "| WNLI | - | - | 40.0 | 41.0 ± 1.4 | +1.0 (-3.0 to 5.0) |",
        "| Tasks with teachers | 56.5 | 60.0 | 52.0 ± 2.8 | 57.0 ± 1.4 | +5.0 (1.0 to 9.0) |",
    ]


def test_settings_side_by_side() -> None:
    lines = evidence_page.tables({"half": HALF, "hot": HOT}).splitlines()
    assert lines[lines.index("### Group *losses*") :] == [
        "### Group *losses*",
        "",
        "| Setting | Seeds | Ensemble | Baseline | Student | - baseline (95 %) | t over seeds "
        "| compared with | difference (95 %) | t over seeds |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| hot (`hot`) | 2 | 60.0 | 52.0 ± 2.8 | 57.0 ± 1.4 | +5.0 (1.0 to 9.0) | -2.0 to 12.0 "
        "| `paper` | -0.2 (-1.0 to 0.5) | -1.0 to 0.5 |",
        "",
        "Student - baseline, points, by task:",
        "",
        "| Setting | RTE | WNLI |",
        "| --- | ---: | ---: |",
        "| `hot` | +5.0 (1.0 to 9.0) | +1.0 (-3.0 to 5.0) |",
    ]


def test_a_single_seed_has_no_interval_over_seeds() -> None:
    alone = {**HALF, "difference_taught": span(5, 1, 9, None)}
    assert "(1.0 to 9.0) points; 62 %" in evidence_page.tables({"half": alone})
    table = evidence_page.tables({"hot": {**alone, "group": "losses"}})
    assert "| +5.0 (1.0 to 9.0) | - | - | - | - |" in table


def test_what_the_reports_call_level_is_not_above() -> None:
    level = {
        **HALF,
        "scores": {**HALF["scores"], "student": {"rte": [50.04, 54.05], "wnli": [40.0, 42.0]}},
        "difference": {"rte": span(0.045, -3, 3), "wnli": span(1, -3, 5)},
    }
    text = evidence_page.tables({"half": level})
    assert "above its baseline on 1 of 2 tasks on the mean, by seed on 0, 2;" in text


def test_nothing_is_kept_of_a_lead_that_is_not_there() -> None:
    behind = {**HALF, "scores": {**HALF["scores"], "ensemble": {"rte": [50.0, 60.0]}}}
    assert "kept, by seed -, 33 %." in evidence_page.tables({"half": behind})
    text = evidence_page.tables({"half": {**behind, "kept": None}})
    assert "; the ensembles have no lead over the baseline." in text


def test_settings_stand_in_the_order_of_the_grid() -> None:
    figures = {"annealed": HOT, "half": HALF, "paper": HOT}  # as JSON sorts them
    text = evidence_page.tables(figures)
    places = [text.index(f"(`{name}`") for name in ("half", "paper", "annealed")]
    assert places == sorted(places)


def test_the_rest_of_the_page_stays(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{evidence_page.BEGIN}\nold\n{evidence_page.END}\nafter\n")
    evidence_page.write({"half": HALF}, page)
    text = page.read_text()
    assert text.startswith(f"before\n{evidence_page.BEGIN}\n\n### Group *main*\n")
    assert text.endswith(f"to 9.0) |\n\n{evidence_page.END}\nafter\n")
    page.write_text("no markers")
    with pytest.raises(DataError, match="no markers"):
        evidence_page.write({"half": HALF}, page)


def test_the_committed_page_is_of_the_committed_figures() -> None:
    figures = json.loads((ROOT / FIGURES).read_text("utf-8"))
    assert evidence_page.tables(figures) in (ROOT / evidence_page.PAGE).read_text("utf-8")


def test_seeds_that_are_equal_have_no_deviation() -> None:
    score = 59.342225  # the mean of three of these is off by one rounding
    assert evidence_page._mean(pd.Series([score] * 3)) == "59.3"
    assert evidence_page._mean(pd.Series([score, score + 0.01])) == "59.3 ± 0.0"
