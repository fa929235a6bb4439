"""One member's models are linked for the student, and only that member's are loaded.

Run with: python -m pytest tests/pipeline/student/test_feature_teachers.py
"""

from __future__ import annotations

import os

import pytest
import torch

from pipeline import paths
from pipeline.data import rows
from pipeline.errors import SavedModelError
from pipeline.model import encoders, saved_model
from pipeline.model.multitask import MultiTaskModel
from pipeline.params.distillation import FeatureMatching, Features
from pipeline.params.sections import Params
from pipeline.runtime import artifacts
from pipeline.student import feature_teachers
from pipeline.tasks import GLUE

HIDDEN = FeatureMatching(weight=1.0, loss="mse", layers="uniform")


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def params(tiny_params):
    """Params that match the features of m1; its teachers are those of rte and stsb."""
    return matching(tiny_params, "m1")


def matching(params: Params, member: str | None) -> Params:
    features = member and Features(member=member, hidden=HIDDEN, attention=None)
    distillation = params.distillation.model_copy(update={"features": features})
    return params.model_copy(update={"distillation": distillation})


def folded(params: Params) -> Params:
    teachers = params.teachers.model_copy(update={"folds": [1, 2]})
    return params.model_copy(update={"teachers": teachers})


@pytest.fixture
def teach(tiny, head):
    """`teach(task, member, fold, seed)` leaves an untrained teacher and gives its weights' hash."""

    def build(task="rte", member="m1", fold="all", seed=5):
        encoder, tokenizer = encoders.load(tiny, 0.0)
        torch.manual_seed(seed)
        network = MultiTaskModel(encoder, {task: GLUE[task]}, {task: head})
        folder = paths.teacher(task, member, fold)
        weights = saved_model.save(network, tokenizer, folder)
        (folder / saved_model.LOG).write_text("step\n")
        manifest = saved_model.manifest(member, weights, network, {}, {}, "float32")
        artifacts.write_json(folder / saved_model.MANIFEST, manifest)
        return weights

    return build


def files() -> dict[str, os.stat_result]:
    folder = paths.FEATURE_TEACHERS
    return {
        file.relative_to(folder).as_posix(): file.stat()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_without_features_there_is_an_empty_manifest_and_nothing_is_loaded(tiny_params, teach):
    teach()
    params = matching(tiny_params, None)
    assert feature_teachers.load(params, ["rte"]) == {}
    feature_teachers.write(params)
    assert list(files()) == [feature_teachers.MANIFEST]
    assert artifacts.read_json(paths.FEATURE_TEACHERS / feature_teachers.MANIFEST) == {}
    assert feature_teachers.load(params, ["rte"]) == {}


def test_the_members_models_are_linked_and_loaded(params, teach):
    weights = {task: teach(task) for task in ("rte", "stsb")}
    teach("rte", "m2", seed=6)
    feature_teachers.write(params)
    assert artifacts.read_json(paths.FEATURE_TEACHERS / feature_teachers.MANIFEST) == {
        "member": "m1",
        "fold": "all",
        "weights_sha256": weights,
    }
    names = {name.split("/", 1)[1] for name in files() if name.startswith("rte/")}
    source = paths.teacher("rte", "m1", "all")
    source_files = {
        path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()
    }
    assert names == source_files - {saved_model.LOG}
    for name in names:
        assert (source / name).samefile(paths.feature_teacher("rte") / name)
    loaded = feature_teachers.load(params, ["rte", "stsb"])
    assert {task: one.manifest["weights_sha256"] for task, one in loaded.items()} == weights


@pytest.mark.parametrize("linked", [True, False])
def test_files_that_dvc_made_read_only_are_linked_or_copied(params, teach, monkeypatch, linked):
    weights = {task: teach(task) for task in ("rte", "stsb")}
    cached = paths.DATA / "cached"
    model = paths.teacher("rte", "m1", "all") / saved_model.HEADS
    model.replace(cached)
    cached.chmod(0o444)
    model.symlink_to(cached.absolute())
    if not linked:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(18, "other disk")))
    feature_teachers.write(params)
    copy = paths.feature_teacher("rte") / saved_model.HEADS
    assert not copy.is_symlink()
    assert copy.samefile(cached) == linked
    assert saved_model.weights_sha256(paths.feature_teacher("rte")) == weights["rte"]


def test_of_a_cross_fitted_member_the_first_folds_model_is_taken(params, teach):
    weights = {task: teach(task, fold="1") for task in ("rte", "stsb")}
    teach("rte", fold="2", seed=6)
    feature_teachers.write(folded(params))
    loaded = feature_teachers.load(folded(params), ["rte"])
    assert loaded["rte"].manifest["weights_sha256"] == weights["rte"]


def test_a_task_that_the_source_lacks_has_none(params, teach):
    teach("rte")
    artifacts.write_json(paths.teacher("stsb", "m1", "all") / rows.MISSING, {})
    feature_teachers.write(params)
    assert {name.split("/")[0] for name in files()} == {feature_teachers.MANIFEST, "rte"}
    assert list(feature_teachers.load(params, ["rte"])) == ["rte"]


def spoil(folder):
    (folder / saved_model.HEADS).write_bytes(b"other")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / saved_model.MANIFEST).unlink(), "no trained model"),
        (lambda folder: (folder / saved_model.HEADS).unlink(), "a file .* is missing"),
        (spoil, "the weights are not those"),
    ],
    ids=["not trained", "half", "other weights"],
)
def test_a_teacher_that_is_not_whole_is_told_and_the_earlier_ones_stay(
    params, teach, damage, message
):
    for task in ("rte", "stsb"):
        teach(task)
    feature_teachers.write(params)
    before = list(files())
    damage(paths.teacher("rte", "m1", "all"))
    with pytest.raises(SavedModelError, match=message) as error:
        feature_teachers.write(params)
    assert error.value.fix == "dvc repro --single-item --force teach@rte-m1-all"
    assert list(files()) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda params: matching(params, "m2"), "not of member m2\n  seen: m1"),
        (folded, "not of fold 1\n  seen: all"),
    ],
)
def test_feature_teachers_of_other_parameters_are_refused(params, teach, change, message):
    for task in ("rte", "stsb"):
        teach(task)
    feature_teachers.write(params)
    with pytest.raises(SavedModelError, match=message) as error:
        feature_teachers.load(change(params), ["rte"])
    assert error.value.fix == "dvc repro feature_teachers"


@pytest.mark.parametrize(("text", "message"), [(None, "no feature teachers"), ("{", "not JSON")])
def test_without_a_manifest_the_stage_is_named(params, text, message):
    paths.FEATURE_TEACHERS.mkdir(parents=True)
    if text is not None:
        (paths.FEATURE_TEACHERS / feature_teachers.MANIFEST).write_text(text)
    with pytest.raises(SavedModelError, match=message) as error:
        feature_teachers.load(params, ["rte"])
    assert error.value.fix == "dvc repro feature_teachers"


def test_a_damaged_link_names_the_stage(params, teach):
    for task in ("rte", "stsb"):
        teach(task)
    feature_teachers.write(params)
    (paths.feature_teacher("rte") / saved_model.MANIFEST).unlink()
    with pytest.raises(SavedModelError, match="no trained model") as error:
        feature_teachers.load(params, ["rte"])
    assert error.value.fix == "dvc repro --single-item --force feature_teachers"
