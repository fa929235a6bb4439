"""The plan of a params file: its runs, by the names and with the rows that the stages have.

Run with: python -m pytest tests/pipeline/planning/test_plan.py
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from pathlib import Path

import pytest

from pipeline import paths, stage_registry
from pipeline.data import folds, rows
from pipeline.errors import ParamsError
from pipeline.params import file, profiles
from pipeline.planning import plan
from pipeline.planning.plan import Plan
from tests.pipeline.planning.conftest import RECORDED, recorded

ROOT = Path(__file__).resolve().parents[3]
MATCH = "{member: m1, hidden: {weight: 1.0, loss: mse, layers: uniform}, attention: null}"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def planned(profile: str, *overrides: str) -> Plan:
    return plan.of(
        file.check(profiles.as_written(profile, recorded(profile, overrides), ROOT / "profiles"))
    )


def steps(planned_runs: Plan, stage: str) -> int:
    return sum(run.steps for run in planned_runs.runs if run.stage == stage)


def test_the_paper_has_six_candidates_twelve_teachers_a_student_and_eight_tuned() -> None:
    planned_runs = planned("paper")
    count = Counter(run.stage for run in planned_runs.runs)
    assert count == {"refine": 6, "teach": 12, "distil": 1, "baseline": 1, "tune": 8}
    assert not any(run.unknown for run in planned_runs.runs)
    # ceil(rows / 32), five epochs: MNLI 12,272; QQP 11,371; QNLI 3,274; SST-2 2,105; CoLA 268;
    # STS-B 180; MRPC 115; RTE 78
    assert steps(planned_runs, "distil") == 5 * (12272 + 11371 + 3274 + 2105 + 268 + 180 + 115 + 78)
    assert steps(planned_runs, "refine") == 6 * steps(planned_runs, "distil")
    assert steps(planned_runs, "tune") == steps(planned_runs, "distil")
    assert steps(planned_runs, "teach") == 3 * 5 * (12272 + 11371 + 3274 + 78)


def test_names_are_those_of_the_stages() -> None:
    planned_runs = planned(
        "sample", "transfer={rte: {source: test, rows: 9}}", "teachers.folds=[1, 2]"
    )
    names = [run.job.name for run in planned_runs.runs]
    assert len(names) == len(set(names))
    assert "teach@rte-m3-2" in names
    assert "label@rte-m3-2" in names
    assert not any(name.startswith("label@qqp") for name in names)
    assert names[-3:] == ["distil", "baseline@epochs", "baseline@steps"]


def test_the_groups_are_all_stages_that_are_planned() -> None:
    refined = ("refinement.candidates={c1: {seed: 1}}", "selection.top=1")
    further = "transfer={rte: {source: test, rows: 9}}"
    planned_runs = planned("sample", *refined, further, "tuning.tasks={rte: {}}")
    grouped = list(chain.from_iterable(stage_registry.SIDE_BY_SIDE))
    assert list(dict.fromkeys(run.stage for run in planned_runs.runs)) == grouped
    work = {run.stage: "trains" if run.trained else "scores" for run in planned_runs.runs}
    assert work == {name: stage_registry.STAGES[name].work for name in grouped}


def test_teachers_score_all_rows_and_others_the_held_out_ones() -> None:
    planned_runs = {run.job.name: run for run in planned("paper").runs}
    whole = 392_702 + 9_815 + 9_832 + 9_796 + 9_847 + 1_104
    assert planned_runs["teach@mnli-m1-all"].scored.rows == whole
    assert planned_runs["tune@mnli"].scored.rows == whole - 392_702
    assert planned_runs["refine@cased_1"].job.scored["mnli"] == 9_815 + 9_832
    assert planned_runs["distil"].job.scored == planned_runs["baseline@epochs"].job.scored


def test_members_that_start_refined_are_as_large_as_the_largest_candidate() -> None:
    params = planned("paper").params
    start = plan.start("m1", params)
    assert getattr(start, "repo", "") == "google-bert/bert-large-uncased"  # more pieces than cased


def test_folds_of_rows_that_are_not_at_hand_are_fair_shares() -> None:
    planned_runs = planned("glue-cpu", "teachers.folds=[1, 2, 3]")
    teacher = next(run for run in planned_runs.runs if run.job.name == "teach@rte-m1-2")
    assert teacher.job.train == {"rte": pytest.approx(1000 * 2 / 3)}
    assert teacher.steps == 3 * 21  # 667 rows


def test_folds_of_prepared_rows_are_those_that_training_leaves_out(make) -> None:
    texts = [("a", "b", 0)] * 4 + [("c", "d", 1), ("e", "f", 0), ("g", "h", 1)]
    train_rows = make("rte", "train", texts)
    path = paths.prepared("rte") / "train.parquet"
    rows.write(path, train_rows.table, {**train_rows.metadata, "cap": 1000})
    planned_runs = planned("glue-cpu", "teachers.folds=[1, 2, 3]")
    fold_numbers = folds.held_out(train_rows, 3)
    for fold in (1, 2, 3):
        teacher = next(run for run in planned_runs.runs if run.job.name == f"teach@rte-m1-{fold}")
        assert teacher.job.train == {"rte": int((fold_numbers != fold).sum())}


def test_only_the_student_learns_from_transfer_rows() -> None:
    transfer = "transfer={rte: {source: test, rows: 100}}"
    planned_runs = {run.job.name: run for run in planned("glue-cpu", transfer).runs}
    assert planned_runs["label@rte-m1-all"].scored.rows == 100
    assert planned_runs["label@rte-m1-all"].steps == 0
    assert planned_runs["distil"].trained["rte"].load.rows == 5 * 1100
    assert planned_runs["baseline@epochs"].trained["rte"].load.rows == 5 * 1000
    # 4,000 gold rows of tasks with teachers and 100 further ones: 1.025 passes of the other tasks.
    # In batches of 32 these are 5 x (3 x 32 + 35) steps, ceil(5 x 1.025 x 32) = 164 of each of four
    # tasks of 1,000 rows and ceil(5 x 1.025 x 20) = 103 of WNLI's 635, 1,414 in all. The baseline
    # takes 276 an epoch, so 6 epochs are the fewest.
    assert planned_runs["distil"].steps == 655 + 4 * 164 + 103
    assert planned_runs["baseline@steps"].steps == 6 * 276
    assert planned_runs["baseline@steps"].trained["rte"].load.rows == 6 * 1000


def test_inner_states_cost_a_teachers_pass() -> None:
    runs = {run.job.name: run for run in planned("glue-cpu", f"distillation.features={MATCH}").runs}
    guide = runs["distil"].guide
    assert guide is not None
    assert guide[0].layers == 6  # the student has three
    assert guide[1].rows == 5 * 4 * 1000
    assert runs["baseline@epochs"].guide is None


def test_a_task_of_ones_own_that_is_not_prepared_stays_open() -> None:
    own = "{title: T, labels: [a, b], sentence1: x, label: l, metrics: [accuracy]}"
    caps = "{train: null, dev: null, test: null}"
    planned_runs = planned("glue-cpu", f"tasks.own={{rows: {caps}, custom: {own}}}")
    unknown = {run.stage for run in planned_runs.runs if run.unknown}
    assert unknown == {"distil", "baseline"}


def test_a_source_without_any_task_is_an_error() -> None:
    paths.prepared("rte").mkdir(parents=True)
    (paths.prepared("rte") / rows.MISSING).write_text("{}")
    values = profiles.as_written("glue-cpu", RECORDED, ROOT / "profiles")
    values["tasks"] = {"rte": values["tasks"]["rte"]}
    values["teachers"]["tasks"] = {"rte": {}}
    with pytest.raises(ParamsError, match="no task has train rows"):
        plan.of(file.check(values))
