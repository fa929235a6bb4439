"""Spoilt soft labels of members with folds, a calibration and transfer rows: all refused."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest

from pipeline.data import parquet_file
from pipeline.errors import SoftLabelError
from pipeline.soft_labels import store
from tests.pipeline.conftest import write_members
from tests.pipeline.soft_labels.test_checks import changed, put, without

CALIBRATED = {
    "temperature": (
        lambda t, m: (t, {**m, "temperatures": {"m1": 0.5, "m2": 2.1}}),
        r"not what mean_probability makes of the members' logits\n  seen: rte/train/1",
    ),
    "no temperatures": (
        lambda t, m: (t, {**m, "temperatures": None}),
        r"not what mean_probability makes of the members' logits\n  seen: rte/train/0",
    ),
    "temperatures gone": (lambda t, m: (t, without(m, "temperatures")), "lacks .*temperatures"),
    "temperatures of others": (
        lambda t, m: (t, {**m, "temperatures": {"m1": 0.5, "m9": 2.0}}),
        r"temperatures of \['m1', 'm9'\], but metadata of \['m1', 'm2'\]",
    ),
    "temperature 0": (
        lambda t, m: (t, {**m, "temperatures": {"m1": 0.5, "m2": 0.0}}),
        r"not above 0 and finite\n  seen: \[0\.5, 0\.0\]",
    ),
    "member of other folds": (
        lambda t, m: (t, {**m, "members": m["members"] | {"m2": {"folds": ["1", "2", "3"]}}}),
        r"teacher m2 is not of folds \['1', '2'\]\n  seen: \['1', '2', '3'\]",
    ),
    "transfer row with a label": (
        lambda t, m: (put(t, "label", 5, 1), m),
        r"a transfer row has a gold label\n  seen: rte/transfer/1",
    ),
    "transfer row twice": (
        lambda t, m: (pa.concat_tables([t, t.slice(4, 1)]), m),
        r"a row occurs twice\n  seen: rte/transfer/0",
    ),
    "transfer logit": (
        lambda t, m: (put(t, "logits_m1", 5, [math.nan, 0.0]), m),
        r"logits_m1 is not finite\n  seen: rte/transfer/1",
    ),
    "transfer probability": (
        lambda t, m: (put(t, "probabilities", 5, [0.25, 0.75]), m),
        r"not what mean_probability makes of the members' logits\n  seen: rte/transfer/1",
    ),
    "train row made a transfer row": (
        lambda t, m: (put(put(t, "split", 1, "transfer"), "label", 1, None), m),
        r"(a row is missing|another split than .*)\n  seen: rte/train/1",
    ),
}
"""Faults of a file with folds, calibration and transfer rows."""

OF_TRANSFER = {
    "transfer row missing": (
        lambda t, m: (t.slice(0, 5), m),
        r"a row is missing\n  seen: rte/transfer/1",
    ),
    "no transfer rows": (
        lambda t, m: (t.slice(0, 4), m),
        r"a row is missing\n  seen: rte/transfer/0 \(and 1 more\)",
    ),
    "unknown transfer row": (
        lambda t, m: (put(t, "row_id", 5, "rte/transfer/7"), m),
        r"no such prepared row\n  seen: rte/transfer/7",
    ),
    "transfer row of another text": (
        lambda t, m: (put(t, "text_hash", 5, "0" * 32), m),
        r"another text_hash than .*\n  seen: rte/transfer/1",
    ),
}
"""Faults that only a reader of the transfer rows can see."""


@pytest.mark.parametrize("fault", [*CALIBRATED, *OF_TRANSFER])
def test_a_spoilt_file_with_folds_and_transfer_rows_is_refused(
    rte_calibrated, rte_all_splits, fault
):
    spoil, message = {**CALIBRATED, **OF_TRANSFER}[fault]
    parquet_file.write_table(rte_calibrated, *spoil(*parquet_file.read_table(rte_calibrated)))
    with pytest.raises(SoftLabelError, match=message):
        store.read(rte_calibrated, rte_all_splits)


@pytest.mark.parametrize("fault", CALIBRATED)
def test_it_is_refused_by_a_reader_of_the_prepared_rows(rte_calibrated, rte_splits, fault):
    spoil, message = CALIBRATED[fault]
    parquet_file.write_table(rte_calibrated, *spoil(*parquet_file.read_table(rte_calibrated)))
    with pytest.raises(SoftLabelError, match=message):
        store.read(rte_calibrated, rte_splits)


@pytest.mark.parametrize("fault", OF_TRANSFER)
def test_transfer_rows_that_are_not_asked_for_are_compared_with_nothing(
    rte_calibrated, rte_splits, fault
):
    spoil, _ = OF_TRANSFER[fault]
    parquet_file.write_table(rte_calibrated, *spoil(*parquet_file.read_table(rte_calibrated)))
    assert store.read(rte_calibrated, rte_splits).members == ("m1", "m2")


@pytest.mark.parametrize(
    ("temperatures", "folds", "message"),
    [
        ({"m1": 1.0}, None, r"temperatures of \['m1'\], but metadata of \['m1', 'm2'\]"),
        ({"m1": 1.0, "m2": math.inf}, None, "not above 0 and finite"),
        (None, ["1", "2", "3"], r"teacher m2 is not of folds \['1', '2'\]"),
    ],
)
def test_what_could_not_be_read_is_not_written(
    tmp_path, rte_all_splits, rte_folded, temperatures, folds, message
):
    path, m2 = tmp_path / "rte.parquet", rte_folded["m2"]
    model = {**m2.model, "folds": folds or m2.model["folds"]}
    members = {**rte_folded, "m2": changed(m2, model=model)}
    with pytest.raises(SoftLabelError, match=message):
        store.write(path, rte_all_splits, members, "mean_logit", temperatures)
    assert not path.exists()


def test_calibration_needs_folds_and_classes(tmp_path, rte_splits, rte_members, make):
    path, temperatures = tmp_path / "x.parquet", {"m1": 1.0, "m2": 1.0}
    with pytest.raises(SoftLabelError, match="without folds no train row is unseen"):
        store.write(path, rte_splits, rte_members, "mean_logit", temperatures)
    splits = {"train": make("stsb", "train", [("a", "b", 2.5)])}
    scores = write_members(tmp_path, splits, {"m1": {"train": [[2.0]]}})
    with pytest.raises(SoftLabelError, match="scores know no temperature"):
        store.write(path, splits, scores, "mean_logit", {"m1": 1.0})
