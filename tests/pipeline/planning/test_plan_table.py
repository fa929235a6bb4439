"""The printed plan: its columns, sums, width, warnings and what stays open.

Run with: python -m pytest tests/pipeline/planning/test_plan_table.py
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipeline.errors import ParamsError
from pipeline.params import file, profiles
from pipeline.planning import devices, estimates, plan, plan_table
from tests.pipeline.planning.conftest import recorded

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def planned(profile: str, *overrides: str) -> plan.Plan:
    return plan.of(
        file.check(profiles.values(profile, recorded(profile, overrides), ROOT / "profiles"))
    )


def text(device: str, number: int, profile: str, *overrides: str) -> str:
    return "\n".join(plan_table.lines(planned(profile, *overrides), devices.find(device), number))


def notes(printed: str) -> str:
    """The text without its line breaks, which stand where the width wants them."""
    return " ".join(printed.split())


def cells(lines: list[str], stage: str) -> list[str]:
    return next(line.split() for line in lines if line.startswith(f"{stage} "))


def test_a_line_adds_up_the_runs_of_its_stage() -> None:
    planned_runs = planned("paper")
    gpu = devices.find("a100-40gb")
    lines = plan_table.lines(planned_runs, gpu, 1)
    runs = [run for run in planned_runs.runs if run.stage == "teach"]
    costs = [estimates.of(run, gpu, planned_runs.params.machine) for run in runs]
    hours = sum(cost.seconds for cost in costs if cost) / 3600
    petaflop = sum(cost.flop for cost in costs if cost) / 1e15
    memory = max(cost.memory.total for cost in costs if cost) / 2**30
    row = cells(lines, "teach")
    assert row[1:3] == ["12", "404,925"]
    assert row[5:] == [f"{petaflop:,.0f}", f"{memory:.1f}", f"{hours:.3g}"]
    stages = ["refine", "teach", "distil", "baseline", "tune", "all"]
    assert [line.split()[0] for line in lines[1:7]] == stages


def test_totals_by_hand() -> None:
    """A stage adds up what its runs cost and names its largest run; unknown runs are not known."""
    columns = ["run", "stage", *plan_table.UNITS, "disk"]
    runs = pd.DataFrame(
        [
            ("teach@a", "teach", 10, 1e6, 5e6, 1e15, 2**30, 3600.0, 1.0),
            ("teach@b", "teach", 20, 2e6, 7e6, 2e15, 2**31, 1800.0, 1.0),
            ("distil", "distil", *[float("nan")] * 7),
        ],
        columns=columns,
    )
    totals = plan_table.totals(runs)
    assert list(totals.columns) == ["runs", "known", *plan_table.UNITS]
    assert totals.loc["teach"].tolist() == [2, 2, 30, 3e6, 7e6, 3e15, 2**31, 5400]
    assert totals.loc["distil", ["runs", "known"]].tolist() == [1, 0]
    assert totals.loc["all"].tolist() == [3, 2, 30, 3e6, 7e6, 3e15, 2**31, 5400]


@pytest.mark.parametrize("device", devices.NAMED)
def test_a_plan_fits_eighty_columns(device: str) -> None:
    lines = text(device, 8, "paper", "machine.precision=float32").splitlines()
    assert max(map(len, lines)) <= plan_table.WIDTH == 80


def test_side_by_side_the_stages_still_wait_for_each_other() -> None:
    planned_runs, gpu = planned("paper"), devices.find("h100")
    runs = plan_table.costs(planned_runs, gpu)
    estimated = [
        (run, estimates.of(run, gpu, planned_runs.params.machine)) for run in planned_runs.runs
    ]
    assert all(cost is not None for _, cost in estimated)
    one, many = plan_table.hours(runs, 1), plan_table.hours(runs, 100)
    assert one == pytest.approx(sum(cost.seconds for _, cost in estimated if cost) / 3600)
    longest: dict[str, float] = {}
    for run, cost in estimated:
        if cost:
            stage = {"baseline": "distil"}.get(run.stage, run.stage)
            longest[stage] = max(longest.get(stage, 0.0), cost.seconds)
    assert many == pytest.approx(sum(longest.values()) / 3600)
    first = f"2 x NVIDIA H100 SXM 80 GB, bfloat16: {plan_table.hours(runs, 2):.3g} hours"
    assert first in notes(text("h100", 2, "paper"))


@pytest.mark.parametrize(
    ("device", "overrides", "warned"),
    [
        ("a100-40gb", (), False),
        ("l4", (), True),
        ("t4", ("machine.precision=float16",), True),
        ("cpu", (), False),  # its memory is not known
    ],
)
def test_too_little_memory_is_warned_of(device: str, overrides, warned: bool) -> None:
    assert ("That is more than" in notes(text(device, 1, "paper", *overrides))) == warned


def test_half_the_batch_and_twice_the_accumulation_needs_less_memory_for_the_same_steps() -> None:
    halved = [
        f"{section}.{key}"
        for section in ("refinement", "teachers", "student", "tuning")
        for key in ("batch_size=16", "accumulation=2")
    ]
    whole = plan_table.lines(planned("paper"), devices.find("l4"), 1)
    less = plan_table.lines(planned("paper", *halved), devices.find("l4"), 1)
    assert cells(less, "teach")[2] == cells(whole, "teach")[2]
    assert float(cells(less, "teach")[6]) < 0.65 * float(cells(whole, "teach")[6])


def test_what_is_open_is_a_question_mark_with_its_reason() -> None:
    encoder = f"{{source: hub, repo: nobody/nothing, revision: {'a' * 40}}}"
    printed = text("l4", 1, "glue-cpu", f"student.encoder={encoder}")
    lines, remarks = printed.splitlines(), notes(printed)
    assert cells(lines, "distil") == ["distil", "1", *"??????"]
    assert cells(lines, "all")[:3] == ["all", "14", "≥1,152"]
    assert all(cell.startswith("≥") for cell in cells(lines, "all")[2:])
    assert "?: the shape of nobody/nothing is not known on this machine." in remarks
    assert "≥: some runs cannot be counted" in remarks
    assert "bfloat16: at least " in remarks


def test_what_the_numbers_rest_on_is_said() -> None:
    remarks = notes(text("t4", 1, "glue-cpu", "student.early_stopping={share: 0.1, patience: 1}"))
    assert "GLUE's official numbers, capped, for CoLA" in remarks
    assert "Lengths by GLUE's table for CoLA" in remarks
    assert "Early stopping may end runs sooner" in remarks
    assert "machine.precision=float16 would be faster" in remarks
    assert "the generator's numbers" in notes(text("cpu", 1, "sample"))


def test_disk_counts_selected_candidates_and_their_copies() -> None:
    """28 runs, three selected and three starts: 1.3 GiB each."""
    assert "weights take 44 GiB" in notes(text("h100", 1, "paper"))


def test_a_precision_that_the_device_lacks_is_an_error() -> None:
    with pytest.raises(ParamsError, match="t4 has no fast bfloat16"):
        text("t4", 1, "paper", "machine.precision=bfloat16")


def test_the_documented_plan_is_what_is_printed() -> None:
    documented = (ROOT / "docs" / "plan.md").read_text("utf-8")
    assert text("a100-40gb", 1, "paper") in documented


@pytest.mark.parametrize(
    ("profile", "hours"), [("paper", "29 hours"), ("glue-base", "three hours")]
)
def test_the_profiles_say_the_hours_that_are_planned(profile: str, hours: str) -> None:
    header = profiles.text(profile, folder=ROOT / "profiles").partition("\n\n")[0]
    assert f"{hours} on one A100 by the estimate" in " ".join(header.replace("#", "").split())
    planned_hours = (
        notes(text("a100-40gb", 1, profile)).partition(" hours in all")[0].rpartition(" ")[2]
    )
    number = {"three": 3}.get(hours.split()[0]) or int(hours.split()[0])
    assert round(float(planned_hours)) == number
