"""A plan as text: its columns, sums, warnings and what stays open.

Run with: python -m pytest tests/pipeline/planning/test_plan_table.py
"""

from __future__ import annotations

from pathlib import Path

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


def cells(lines: list[str], stage: str) -> list[str]:
    line = next(line for line in lines if line.startswith(f"| {stage} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_line_adds_up_the_runs_of_its_stage() -> None:
    found = planned("paper")
    gpu = devices.find("a100-40gb")
    lines = plan_table.lines(found, gpu, 1)
    runs = [run for run in found.runs if run.stage == "teach"]
    costs = [estimates.of(run, gpu, found.params.machine) for run in runs]
    hours = sum(cost.seconds for cost in costs if cost) / 3600
    petaflop = sum(cost.flop for cost in costs if cost) / 1e15
    memory = max(cost.memory.total for cost in costs if cost) / 2**30
    row = cells(lines, "teach")
    assert row[1:3] == ["12", "404,925"]
    assert row[5:] == [f"{petaflop:,.0f}", f"{memory:.1f}", f"{hours:.3g}"]
    assert [line.split(" |")[0] for line in lines[2:8]] == [
        "| refine",
        "| teach",
        "| distil",
        "| baseline",
        "| tune",
        "| **all**",
    ]


def test_side_by_side_the_stages_still_wait_for_each_other() -> None:
    found, gpu = planned("paper"), devices.find("h100")
    costed = [(run, estimates.of(run, gpu, found.params.machine)) for run in found.runs]
    seconds = {run.job.name: cost.seconds for run, cost in costed if cost}
    one, many = plan_table.hours(costed, 1), plan_table.hours(costed, 100)
    assert one == pytest.approx(sum(seconds.values()) / 3600)
    longest = {}
    for run, cost in costed:
        if cost:
            stage = {"baseline": "distil"}.get(run.stage, run.stage)
            longest[stage] = max(longest.get(stage, 0.0), cost.seconds)
    assert many == pytest.approx(sum(longest.values()) / 3600)
    assert f"2 x NVIDIA H100 SXM 80 GB, bfloat16: {plan_table.hours(costed, 2):.3g} hours" in text(
        "h100", 2, "paper"
    )


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
    assert ("That is more than" in text(device, 1, "paper", *overrides)) == warned


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
    found = text("l4", 1, "glue-cpu", f"student.encoder={encoder}")
    assert "| distil | 1 | ? | ? | ? | ? | ? | ? |" in found
    assert "| **all** | 14 | at least 1,152 |" in found
    assert "?: the shape of nobody/nothing is not known on this machine." in found
    assert "bfloat16: at least " in found


def test_what_the_numbers_rest_on_is_said() -> None:
    found = text("t4", 1, "glue-cpu", "student.early_stopping={share: 0.1, patience: 1}")
    assert "GLUE's official numbers, capped, for CoLA" in found
    assert "Lengths by GLUE's table for CoLA" in found
    assert "Early stopping may end runs sooner" in found
    assert "machine.precision=float16 would be faster" in found
    assert "the generator's numbers" in text("cpu", 1, "sample")


def test_disk_counts_selected_candidates_and_their_copies() -> None:
    """28 runs, three selected and three starts: 1.3 GiB each."""
    assert "weights take 44 GiB" in text("h100", 1, "paper")


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
    planned_hours = text("a100-40gb", 1, profile).partition(" hours in all")[0].rpartition(" ")[2]
    number = {"three": 3}.get(hours.split()[0]) or int(hours.split()[0])
    assert round(float(planned_hours)) == number
