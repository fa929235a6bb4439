"""The choice of candidates: scores, ties, what is kept, and what does not change it.

Run with: python -m pytest tests/pipeline/teachers/test_select.py
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import paths
from pipeline.errors import DataError, SavedModelError
from pipeline.model import saved_model
from pipeline.params.file import check, read_yaml
from pipeline.runtime import artifacts
from pipeline.teachers import select
from pipeline.teachers.select import Candidate

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def settings(*candidates, top=1, tasks=("mnli", "stsb")):
    """The sample profile with candidates."""
    values = read_yaml(ROOT / "profiles" / "sample.yaml")
    values["refinement"]["candidates"] = {name: {"seed": at} for at, name in enumerate(candidates)}
    values["selection"] = {"top": top, "tasks": list(tasks)}
    return check(values)


def put(name, matched=0.5, mismatched=0.5, pearson=0.5, **dev):
    """A trained candidate; its weights are its name."""
    folder = paths.refined(name)
    (folder / saved_model.ENCODER).mkdir(parents=True)
    (folder / saved_model.ENCODER / "model.safetensors").write_text(f"encoder of {name}")
    (folder / saved_model.ENCODER / "config.json").write_text("{}")
    (folder / saved_model.HEADS).write_text(f"heads of {name}")
    scores = {
        "mnli": {"dev_matched": {"accuracy": matched}, "dev_mismatched": {"accuracy": mismatched}},
        "stsb": {"dev": {"pearson": pearson, "spearman": pearson}},
        "rte": {"dev": {"accuracy": 1.0}},
    }
    manifest = {
        "name": name,
        "weights_sha256": saved_model.weights_sha256(folder),
        "encoder": {"source": "random", "seed": 0},
        "libraries": {"torch": "1"},
        "dev": scores | dev,
    }
    artifacts.write_json(folder / saved_model.MANIFEST, manifest)


def kept():
    """Every file under data/selected with its bytes."""
    files = [path for path in paths.SELECTED.rglob("*") if path.is_file()]
    return {str(path.relative_to(paths.SELECTED)): path.read_bytes() for path in files}


def test_the_score_is_the_mean_over_metrics_then_splits_then_tasks():
    put("c1", matched=0.5, mismatched=0.7, stsb={"dev": {"pearson": 0.3, "spearman": 0.5}})
    (candidate,) = select.select(settings("c1"))
    assert candidate.scores == pytest.approx({"mnli": 0.6, "stsb": 0.4})
    assert candidate.score == pytest.approx(0.5)
    report = artifacts.read_json(paths.SELECTION)
    assert report["candidates"]["c1"]["score"] == pytest.approx(0.5)
    assert report["candidates"]["c1"]["dev"]["rte"] == {"dev": {"accuracy": 1.0}}


def test_the_best_are_kept_by_rank_without_heads():
    put("c1", matched=0.1)
    put("c2", matched=0.9)
    put("c3", matched=0.4)
    order = select.select(settings("c1", "c2", "c3", top=2))
    assert [candidate.name for candidate in order] == ["c2", "c3", "c1"]
    folders = ["1/encoder/config.json", "1/encoder/model.safetensors", "1/model.json"]
    folders += [name.replace("1/", "2/") for name in folders]
    assert sorted(kept()) == [*folders, "selected.json"]
    index = artifacts.read_json(paths.SELECTED / "selected.json")
    assert {place: entry["candidate"] for place, entry in index.items()} == {"1": "c2", "2": "c3"}
    assert index["1"]["weights_sha256"] == saved_model.weights_sha256(paths.refined("c2"))
    assert artifacts.read_json(paths.selected(2) / "model.json") == {
        "candidate": "c3",
        "weights_sha256": saved_model.weights_sha256(paths.refined("c3")),
        "sha256": hashlib.sha256(b"encoder of c3").hexdigest(),
        "encoder": {"source": "random", "seed": 0},
    }


@pytest.mark.parametrize("names", [("c9", "c10", "c2"), ("c2", "c9", "c10")])
def test_equal_scores_go_by_name_whatever_the_order_in_params(names):
    for name in names:
        put(name)
    order = select.select(settings(*names))
    assert [candidate.name for candidate in order] == ["c10", "c2", "c9"]


def test_a_candidate_that_is_not_selected_changes_no_byte_of_what_is():
    put("c1", matched=0.9)
    put("c2", matched=0.8)
    select.select(settings("c1", "c2", top=2))
    before, report = kept(), paths.SELECTION.read_bytes()
    put("c0", matched=0.7)
    select.select(settings("c0", "c1", "c2", top=2))
    assert kept() == before
    assert len(before) == 7
    assert paths.SELECTION.read_bytes() != report
    entry = artifacts.read_json(paths.SELECTION)["candidates"]["c0"]
    assert (entry["rank"], entry["selected"]) == (3, False)


def test_a_better_candidate_takes_its_rank_and_the_rest_move_down():
    put("c1", matched=0.9)
    select.select(settings("c1", top=1))
    put("c2", matched=0.95)
    select.select(settings("c1", "c2", top=2))
    assert kept()["1/encoder/model.safetensors"] == b"encoder of c2"
    assert kept()["2/encoder/model.safetensors"] == b"encoder of c1"


def test_a_candidate_taken_out_of_params_leaves_no_ghost():
    put("c1", matched=0.9)
    put("c2", matched=0.1)
    select.select(settings("c1", "c2", top=2))
    select.select(settings("c2", top=1))
    assert [name for name in kept() if name.startswith("2/")] == []
    assert list(artifacts.read_json(paths.SELECTION)["candidates"]) == ["c2"]


def test_without_candidates_nothing_is_selected():
    assert select.select(settings(top=3)) == []
    assert kept() == {"selected.json": b"{}\n"}
    assert artifacts.read_json(paths.SELECTION)["candidates"] == {}


@pytest.mark.parametrize("dev", [{}, None], ids=["no dev rows", "not at the source"])
def test_a_task_without_dev_scores_is_named(dev):
    put("c1", stsb=dev)
    with pytest.raises(DataError, match=r"cannot be selected by stsb(.|\n)*selection\.tasks"):
        select.select(settings("c1"))
    assert not paths.SELECTED.exists()


def test_a_candidate_that_was_not_trained_is_named():
    put("c1")
    with pytest.raises(SavedModelError, match=r"no trained model(.|\n)*data/refined/c2"):
        select.select(settings("c1", "c2"))


def test_other_weights_than_the_cards_are_refused():
    put("c1")
    (paths.refined("c1") / saved_model.HEADS).write_text("others")
    with pytest.raises(SavedModelError, match=r"not those that model\.json names") as error:
        select.select(settings("c1"))
    remedy = "dvc checkout data/refined/c1, or dvc repro --single-item --force refine@c1"
    assert error.value.fix == remedy
    assert not paths.SELECTED.exists()


def test_files_that_dvc_links_read_only_are_copied_all_the_same():
    put("c1")
    for file in paths.refined("c1").rglob("*"):
        if file.is_file():
            file.chmod(0o444)
    select.select(settings("c1"))
    (paths.selected(1) / "encoder" / "config.json").write_text("writable")


def check_order(ranking, scores):
    """By falling score, and by name among equals."""
    keys = [(-scores[candidate.name], candidate.name) for candidate in ranking]
    assert keys == sorted(keys)
    assert {candidate.name for candidate in ranking} == set(scores)


@given(
    scores=st.dictionaries(
        st.text("abc", min_size=1, max_size=3), st.sampled_from([0.0, 0.25, 0.5]), max_size=6
    ),
    order=st.randoms(use_true_random=False),
)
def test_the_order_of_params_never_matters(scores, order):
    candidates = [Candidate(name, {}, {"rte": score}) for name, score in scores.items()]
    ranking = select.rank(candidates)
    check_order(ranking, scores)
    order.shuffle(candidates)
    assert select.rank(candidates) == ranking
