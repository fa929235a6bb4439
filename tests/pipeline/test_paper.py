"""Every step of the paper's profile, on generated rows with tiny random encoders.

Only sizes differ from the profile: encoders, rows, epochs, batches and lengths. Heads, optimizer,
candidates, selection, members, soft labels, student and tuning are as it says.

Run with: python -m pytest tests/pipeline/test_paper.py
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from safetensors import safe_open

from pipeline import paths
from pipeline.model import saved_model
from pipeline.params import file, profiles
from pipeline.params.sections import Params
from pipeline.planning import plan
from pipeline.runtime import artifacts
from stages import (
    baseline,
    budget,
    distil,
    download,
    ensemble,
    evaluate,
    feature_teachers,
    initialize,
    prepare,
    refine,
    select,
    teach,
    tune,
)

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
TINY = {"source": "random", "depth": 2, "hidden": 8, "attention_heads": 2}
SEEDS = {"google-bert/bert-large-uncased": 1, "google-bert/bert-large-cased": 2}
SHORT = {"epochs": 1, "batch_size": 8, "max_length": 48}
KINDS = {
    **dict.fromkeys(("cola", "sst2", "stsb"), "linear"),
    **dict.fromkeys(("mnli", "rte", "qqp", "mrpc"), "san"),
    "qnli": "ranking",
}


def small() -> dict[str, Any]:
    """The profile's values, made small."""
    values: dict[str, Any] = _with_tiny_encoders(profiles.values("paper", (), ROOT / "profiles"))
    for section in ("refinement", "teachers", "student", "tuning"):
        values[section] |= SHORT
    values["data"]["source"] = "sample"
    values["data"]["sources"]["sample"] |= {"train": 20, "dev": 20, "test": 20}
    values["machine"] |= {"device": "cpu", "threads": 1, "shards": 1, "labelling_tokens": 2048}
    return values


def _with_tiny_encoders(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value.get("repo") in SEEDS:
        return TINY | {"seed": SEEDS[value["repo"]]}
    return {key: _with_tiny_encoders(inner) for key, inner in value.items()}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which every stage has run, as the current one."""
    folder = tmp_path_factory.mktemp("paper")
    (folder / "params.yaml").write_text(json.dumps(small()))
    (folder / "README.md").write_text((ROOT / "README.md").read_text("utf-8"), encoding="utf-8")
    with contextlib.chdir(folder):
        _run_all(file.load())
        yield folder


def _run_all(params: Params) -> None:
    for task in params.tasks:
        download.main(task=task)
        prepare.main(task=task)
    for candidate in params.refinement.candidates:
        refine.main(candidate=candidate)
    select.main()
    for member in params.teachers.members:
        initialize.main(member=member)
    for task, member in itertools.product(params.teachers.tasks, params.teachers.members):
        teach.main(task=task, member=member, fold="all")
    for task in params.teachers.tasks:
        ensemble.main(task=task)
    feature_teachers.main()
    distil.main()
    for name in params.baseline.budgets:
        budget.main(budget=name)
        baseline.main(budget=name)
    for task in params.tuning.tasks:
        tune.main(task=task)
    evaluate.main()


@pytest.fixture
def params(project: Path) -> Params:
    """Its parameters."""
    return file.load()


def manifest(folder: Path) -> Any:
    return artifacts.read_json(folder / saved_model.MANIFEST)


def test_nothing_but_sizes_differs_from_the_profile() -> None:
    changes = profiles.changes(profiles.values("paper", (), ROOT / "profiles"), small())
    sizes = ("epochs", "batch_size", "max_length")
    changed_paths = [change.path for change in changes if ".encoder." not in change.path]
    expected = {
        f"{s}.{key}" for s in ("refinement", "teachers", "student", "tuning") for key in sizes
    }
    expected |= {"data.source", *(f"data.sources.sample.{key}" for key in ("train", "dev", "test"))}
    expected |= {f"machine.{key}" for key in ("device", "threads", "shards", "labelling_tokens")}
    assert set(changed_paths) == expected


def test_six_different_candidates_are_ranked_and_three_kept(params: Params) -> None:
    selection = artifacts.read_json(paths.SELECTION)
    entries = selection["candidates"]
    assert set(entries) == set(params.refinement.candidates)
    ranked = sorted(entries, key=lambda name: entries[name]["rank"])
    scores = [entries[name]["score"] for name in ranked]
    assert scores == sorted(scores, reverse=True)
    for name, entry in entries.items():
        assert entry["score"] == pytest.approx(
            (entry["scores"]["mnli"] + entry["scores"]["rte"]) / 2
        )
        assert set(entry["dev"]) == set(params.tasks)
        assert entry["selected"] == (ranked.index(name) < 3)
    assert len({entry["weights_sha256"] for entry in entries.values()}) == 6


def test_members_start_from_the_best_candidates_in_their_order(params: Params) -> None:
    entries = artifacts.read_json(paths.SELECTION)["candidates"]
    ranked = sorted(entries, key=lambda name: entries[name]["rank"])
    for rank, member in enumerate(params.teachers.members, start=1):
        for task in params.teachers.tasks:
            origin = manifest(paths.teacher(task, member, "all"))["encoder"]
            assert (origin["source"], origin["rank"]) == ("refined", rank)
            assert origin["candidate"] == ranked[rank - 1]


@pytest.mark.parametrize("task", ["mnli", "qqp", "rte", "qnli"])
def test_teachers_have_new_heads_of_the_papers_kinds(params: Params, task: str) -> None:
    folder = paths.teacher(task, "m1", "all")
    facts = manifest(folder)
    assert facts["training"]["heads"][task]["kind"] == KINDS[task]
    assert facts["training"]["optimizer"] == "adamax"
    assert facts["training"]["learning_rate"] == (2e-5 if task == "rte" else 5e-5)
    assert (
        _head_keys(folder, task)
        == {
            "san": {
                "start.weight",
                "attention.weight",
                "update.weight_ih",
                "update.weight_hh",
                "update.bias_ih",
                "update.bias_hh",
                "answer.weight",
                "answer.bias",
            },
            "ranking": {"relevance.linear.weight", "relevance.linear.bias"},
        }[KINDS[task]]
    )


def _head_keys(folder: Path, task: str) -> set[str]:
    with safe_open(folder / saved_model.HEADS, "np") as heads:
        prefix = f"head_{task}."
        return {key.removeprefix(prefix) for key in heads.keys() if key.startswith(prefix)}  # noqa: SIM118


@pytest.mark.parametrize("task", ["mnli", "qqp", "rte", "qnli"])
def test_soft_labels_are_the_mean_probability_of_three_members(params: Params, task: str) -> None:
    table = pq.read_table(paths.soft_labels(task))
    assert {f"logits_{member}" for member in params.teachers.members} <= set(table.column_names)
    probabilities = table["probabilities"].to_pylist()
    assert all(sum(row) == pytest.approx(1) for row in probabilities)


def test_the_student_is_trained_on_all_tasks_and_on_soft_labels_of_four(params: Params) -> None:
    student, twin = manifest(paths.STUDENT), manifest(paths.baseline("epochs"))
    kinds = {task: head["kind"] for task, head in student["training"]["heads"].items()}
    assert kinds == KINDS
    assert student["training"]["soft_labels"] == ["mnli", "qnli", "qqp", "rte"]
    assert twin["training"]["soft_labels"] == []
    for model in (student, twin):
        assert model["training"]["best_epoch"] == ["mnli", "rte"]
        assert model["training"]["batches"] == "fixed"
    assert student["encoder"]["seed"] == SEEDS["google-bert/bert-large-cased"]
    assert student["parameters"] == twin["parameters"]
    assert student["weights_sha256"] != twin["weights_sha256"]


def test_every_task_is_tuned_from_the_student(params: Params) -> None:
    student = manifest(paths.STUDENT)["weights_sha256"]
    for task in params.tasks:
        facts = manifest(paths.tuned(task))
        assert facts["encoder"]["weights_sha256"] == student
        assert list(facts["training"]["heads"]) == [task]


def test_the_report_has_every_system(params: Params) -> None:
    metrics = artifacts.read_json(paths.METRICS)
    text = json.dumps(metrics)
    for system in ("ensemble", "student", "baseline", "tuned", "majority"):
        assert f'"{system}"' in text
    assert "| RTE (accuracy) |" in paths.RESULTS.read_text("utf-8")
    assert pq.read_table(paths.EVALUATION / "rte.parquet").num_rows == 40  # dev and test


def test_the_plan_foretells_steps_and_weights_of_every_run(params: Params) -> None:
    folders = {
        **{f"refine@{name}": paths.refined(name) for name in params.refinement.candidates},
        **{
            f"teach@{task}-{member}-all": paths.teacher(task, member, "all")
            for task in params.teachers.tasks
            for member in params.teachers.members
        },
        "distil": paths.STUDENT,
        "baseline@epochs": paths.baseline("epochs"),
        **{f"tune@{task}": paths.tuned(task) for task in params.tuning.tasks},
    }
    planned = {run.job.name: (run.steps, run.weights) for run in plan.of(params).runs}
    counted = {
        name: (
            len((folder / saved_model.LOG).read_text().splitlines()) - 1,
            manifest(folder)["parameters"],
        )
        for name, folder in folders.items()
    }
    assert planned == counted
