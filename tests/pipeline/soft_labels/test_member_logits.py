"""A member over its folds: train rows from the model that has not seen them, others averaged."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from pipeline import paths
from pipeline.data import folds
from pipeline.data.rows import Rows
from pipeline.errors import SoftLabelError
from pipeline.soft_labels import logits, member_logits
from pipeline.soft_labels.logits import Logits
from pipeline.tasks import GLUE
from tests.pipeline.conftest import make_rows
from tests.pipeline.soft_labels.test_checks import put

LABELS = {"train": [1, 0, 1, 0, 0], "dev": [0, 1], "test": [None], "transfer": [None, None]}
HASHES = {"train": ["d", "b", "c", "a", "a"], "dev": ["e", "f"], "test": ["g"], "transfer": "hi"}
HELD_OUT = [2, 2, 1, 1, 1]  # dealt out in the order a b | c d
DEV = {"1": [[2.0, 0.0], [0.0, 1.0]], "2": [[-4.0, 0.0], [0.0, 3.0]], "all": [[2.0, 0], [0, 1.0]]}


def rows_of(split: str, task: str = "rte") -> Rows:
    rows = make_rows(GLUE[task], split, [(split, "b", label) for label in LABELS[split]])
    at = rows.table.schema.get_field_index("text_hash")
    field = rows.table.schema.field("text_hash")
    hashes = pa.array(list(HASHES[split]), pa.string())
    return Rows(rows.table.set_column(at, field, hashes), rows.metadata)


@pytest.fixture
def splits() -> dict[str, Rows]:
    return {split: rows_of(split) for split in LABELS}


def part(
    splits: dict[str, Rows], fold: str, names: list[str], values: dict[str, list[list[float]]]
) -> Logits:
    """Logits of one fold's model, with the manifest that its stage gives it."""
    train = rows_of("train")
    train_rows = folds.outside(train, fold, folds.held_out(train, len(names)))
    manifest = {
        "name": "m1",
        "fold": fold,
        "folds": names,
        "seen": folds.fingerprint(train_rows),
        "weights_sha256": fold * 3,
        "encoder": {"source": "random"},
        "training": {"seed": 1},
        "dev": {"dev": {"accuracy": 0.25}},
    }
    table = logits.tabulate(splits, np.concatenate([np.array(values[name]) for name in splits]))
    return Logits(table, logits.describe(GLUE["rte"], manifest))


def teacher(splits: dict[str, Rows], fold: str, names: list[str]) -> Logits:
    """Train row i has the logits (10 f + i, 0) in fold f, the test row (f, 0)."""
    number = 0 if fold == "all" else int(fold)
    values = {
        "train": [[10.0 * number + at, 0.0] for at in range(5)],
        "dev": DEV[fold],
        "test": [[float(number), 0.0]],
    }
    prepared = {split: rows for split, rows in splits.items() if split != "transfer"}
    return part(prepared, fold, names, values)


def label(splits: dict[str, Rows], fold: str, names: list[str]) -> Logits:
    number = 0 if fold == "all" else int(fold)
    further = {"transfer": splits["transfer"]}
    return part(further, fold, names, {"transfer": [[4.0 * number, 2.0], [0.0, float(number)]]})


@pytest.fixture
def parts(splits) -> dict[str, Logits]:
    return {fold: teacher(splits, fold, ["1", "2"]) for fold in ("1", "2")}


@pytest.fixture
def labelled(splits) -> dict[str, Logits]:
    return {fold: label(splits, fold, ["1", "2"]) for fold in ("1", "2")}


def test_train_rows_come_from_the_model_that_has_not_seen_them(splits, parts, labelled):
    row_logits = member_logits.join("m1", parts, splits, labelled)
    train = [[10.0 * fold + at, 0.0] for at, fold in enumerate(HELD_OUT)]
    assert row_logits.split("train").values.tolist() == train
    assert row_logits.split("dev").values.tolist() == [[-1.0, 0.0], [0.0, 2.0]]
    assert row_logits.split("test").values.tolist() == [[1.5, 0.0]]
    assert row_logits.split("transfer").values.tolist() == [[6.0, 2.0], [0.0, 1.5]]
    assert row_logits.splits == ("train", "dev", "test", "transfer")
    ids = [name for rows in splits.values() for name in rows.table["row_id"].to_pylist()]
    assert row_logits.table["row_id"].to_pylist() == ids


def test_no_model_has_seen_the_rows_it_labels(splits, parts):
    """The logits name their fold; its manifest's rows are those outside of it."""
    row_logits = member_logits.join(
        "m1", parts, {k: v for k, v in splits.items() if k != "transfer"}
    )
    of_fold = (row_logits.split("train").values[:, 0] // 10).astype(int)
    for fold in (1, 2):
        outside = Rows(splits["train"].table.filter(of_fold != fold), splits["train"].metadata)
        assert parts[str(fold)].model["seen"] == folds.fingerprint(outside)


def test_the_manifest_has_what_all_share_and_what_is_each_folds_own(splits, parts, labelled):
    manifest = member_logits.join("m1", parts, splits, labelled).model
    # Mean dev logits say 1 and 1, gold is 0 and 1; fold 1 alone would have both right.
    assert manifest["dev"] == {"dev": {"accuracy": 0.5}}
    assert (manifest["name"], manifest["folds"]) == ("m1", ["1", "2"])
    assert manifest["training"] == {"seed": 1}
    assert {"fold", "seen", "weights_sha256"}.isdisjoint(manifest)
    for fold in ("1", "2"):
        assert manifest["by_fold"][fold] == {
            key: parts[fold].model[key] for key in ("fold", "seen", "weights_sha256", "dev")
        }


def test_a_model_of_all_rows_is_taken_as_it_is(splits):
    whole, further = teacher(splits, "all", ["all"]), label(splits, "all", ["all"])
    row_logits = member_logits.join("m1", {"all": whole}, splits, {"all": further})
    assert row_logits.values.tolist() == [*whole.values.tolist(), *further.values.tolist()]
    assert row_logits.model == whole.model


def test_rows_of_a_part_may_come_in_any_order(splits, parts, labelled):
    turned = parts["2"].table.take(pa.array(range(len(parts["2"]) - 1, -1, -1)))
    again = {**parts, "2": Logits(turned, parts["2"].metadata)}
    row_logits = member_logits.join("m1", again, splits, labelled)
    assert row_logits.table.equals(member_logits.join("m1", parts, splits, labelled).table)


def changed(row_logits: Logits, **manifest: object) -> Logits:
    return Logits(
        row_logits.table, {**row_logits.metadata, "model": {**row_logits.model, **manifest}}
    )


FAULTS = {
    "member": (lambda p: changed(p, name="m2"), r"not of member m1\n  seen: m2"),
    "fold": (lambda p: changed(p, fold="1"), r"not that of fold 2\n  seen: 1"),
    "folds": (lambda p: changed(p, folds=["1", "2", "3"]), r"for other folds than \['1', '2'\]"),
    "whole": (lambda p: changed(p, fold="all", folds=["all"]), r"fold 2\n  seen: all"),
    "no manifest": (lambda p: changed(p, seen=None), r"not trained on the rows outside its fold"),
    "other rows seen": (
        lambda p: changed(p, seen={**p.model["seen"], "sha256": "0"}),
        r"not trained on the rows outside its fold, \{'rows': 3, .*\n  seen: .*'sha256': '0'",
    ),
    "settings": (
        lambda p: changed(p, training={"seed": 2}),
        r"another training than that of fold 1\n  seen: \{'seed': 2\}",
    ),
    "encoder": (lambda p: changed(p, encoder={}), "another encoder than that of fold 1"),
    "text": (
        lambda p: Logits(put(p.table, "text_hash", 1, "x"), p.metadata),
        r"another text_hash than .*\n  seen: rte/train/1",
    ),
    "label": (
        lambda p: Logits(put(p.table, "label", 1, 1), p.metadata),
        r"another label than .*\n  seen: rte/train/1",
    ),
    "missing row": (
        lambda p: Logits(p.table.slice(1), p.metadata),
        r"a row is missing\n  seen: rte/train/0",
    ),
    "task": (lambda p: Logits(p.table, {**p.metadata, "task": "qnli"}), "another task than rte"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_part_that_does_not_fit_is_refused(splits, parts, labelled, fault):
    spoil, message = FAULTS[fault]
    with pytest.raises(SoftLabelError, match=message) as error:
        member_logits.join("m1", {**parts, "2": spoil(parts["2"])}, splits, labelled)
    assert "logits of teacher m1, fold 2" in str(error.value)
    assert "fix: dvc repro teach@rte-m1-2" in str(error.value)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda of: {}, r"by the models of folds \['1', '2'\]\n  seen: \[\]"),
        (lambda of: {"1": of["1"]}, r"by the models of folds \['1', '2'\]\n  seen: \['1'\]"),
        (
            lambda of: {**of, "2": changed(of["2"], weights_sha256="999")},
            r"by another model than 222\n  seen: 999\n  fix: dvc repro label@rte-m1-2",
        ),
        (
            lambda of: {**of, "2": Logits(of["2"].table.slice(1), of["2"].metadata)},
            r"missing\n  seen: rte/transfer/0\n  fix: dvc repro label@rte-m1-2",
        ),
    ],
    ids=["not labelled", "by one fold", "other weights", "row"],
)
def test_transfer_logits_that_do_not_fit_are_refused(splits, parts, labelled, spoil, message):
    with pytest.raises(SoftLabelError, match=message):
        member_logits.join("m1", parts, splits, spoil(labelled))


def test_transfer_rows_of_no_concern_are_left_out(splits, parts, labelled):
    prepared = {split: rows for split, rows in splits.items() if split != "transfer"}
    assert member_logits.join("m1", parts, prepared, labelled).splits == ("train", "dev", "test")


def test_files_are_read_by_member_and_fold(tmp_path, monkeypatch, splits, parts, labelled):
    monkeypatch.chdir(tmp_path)
    prepared = {split: rows for split, rows in splits.items() if split != "transfer"}
    for fold in ("1", "2"):
        for path, row_logits, of in (
            (paths.prepared_logits("rte", "m1", fold), parts[fold], prepared),
            (paths.transfer_logits("rte", "m1", fold), labelled[fold], splits),
        ):
            values = {
                name: row_logits.split(name).values for name in of if len(row_logits.split(name))
            }
            logits.write(path, {name: of[name] for name in values}, values, row_logits.model)
    joined = member_logits.join("m1", parts, splits, labelled)
    assert member_logits.read("rte", "m1", ["1", "2"], splits).table.equals(joined.table)
    paths.transfer_logits("rte", "m1", "2").unlink()
    assert len(member_logits.read("rte", "m1", ["1", "2"], prepared)) == 8
    with pytest.raises(
        SoftLabelError, match=r"no logits file\n.*\n  fix: dvc repro label@rte-m1-2"
    ):
        member_logits.read("rte", "m1", ["1", "2"], splits)
    with pytest.raises(
        SoftLabelError, match=r"no logits file\n.*\n  fix: dvc repro teach@rte-m1-3"
    ):
        member_logits.read("rte", "m1", ["1", "2", "3"], prepared)


def test_temperatures_are_fitted_on_train_rows_only():
    """Train: (3, 0) in each row and 3 of 4 right, so 3 / log 3; dev would say otherwise."""
    splits = {
        "train": make_rows(GLUE["rte"], "train", [(f"{at}", "b", at // 3) for at in range(4)]),
        "dev": make_rows(GLUE["rte"], "dev", [("x", "y", 1)] * 3),
    }
    table = logits.tabulate(splits, np.tile([3.0, 0.0], (7, 1)))
    row_logits = Logits(table, logits.describe(GLUE["rte"], {"name": "m1"}))
    assert member_logits.temperatures({"m1": row_logits}) == {
        "m1": pytest.approx(3.0 / math.log(3.0))
    }


def test_scores_have_no_temperature():
    splits = {"train": make_rows(GLUE["stsb"], "train", [("a", "b", 1.0), ("c", "d", 2.0)])}
    table = logits.tabulate(splits, np.array([[1.0], [2.0]]))
    member = Logits(table, logits.describe(GLUE["stsb"], {"name": "m1"}))
    assert member_logits.temperatures({"m1": member}) is None
