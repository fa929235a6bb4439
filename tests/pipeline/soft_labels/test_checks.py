"""A spoilt soft-label file, or one member's spoilt logits: refused with the offender's name."""

from __future__ import annotations

import math
import re

import pyarrow as pa
import pytest

from pipeline.data import parquet_file
from pipeline.errors import SoftLabelError
from pipeline.soft_labels import logits, store


def put(table: pa.Table, name: str, at: int, value: object) -> pa.Table:
    """The table with one value changed."""
    where, field = table.schema.get_field_index(name), table.schema.field(name)
    values = table[name].to_pylist()
    values[at] = value
    return table.set_column(where, field, pa.array(values, field.type))


def renamed(table: pa.Table, **names: str) -> pa.Table:
    return table.rename_columns([names.get(name, name) for name in table.schema.names])


def without(metadata: dict[str, object], key: str) -> dict[str, object]:
    return {name: value for name, value in metadata.items() if name != key}


def swapped(metadata: dict[str, object]) -> dict[str, object]:
    return {**metadata, "labels": list(reversed(metadata["labels"]))}


def changed(member: logits.Logits, **metadata: object) -> logits.Logits:
    return logits.Logits(member.table, {**member.metadata, **metadata})


SPOILT = {
    "unknown row": (
        lambda t, m: (put(t, "row_id", 1, "rte/train/9"), m),
        r"no such prepared row\n  seen: rte/train/9",
    ),
    "missing row": (lambda t, m: (t.slice(1), m), r"a row is missing\n  seen: rte/train/0"),
    "no rows": (
        lambda t, m: (t.slice(4), m),
        r"a row is missing\n  seen: rte/train/0 \(and 3 more",
    ),
    "duplicate row": (
        lambda t, m: (pa.concat_tables([t, t.slice(2, 1)]), m),
        r"a row occurs twice\n  seen: rte/dev/0",
    ),
    "other text": (
        lambda t, m: (put(t, "text_hash", 2, "0" * 32), m),
        r"another text_hash than.*'0{32}'.*\n  seen: rte/dev/0",
    ),
    "other split": (
        lambda t, m: (put(t, "split", 2, "train"), m),
        r"another split than.*'train', not 'dev'.*\n  seen: rte/dev/0",
    ),
    "other gold label": (
        lambda t, m: (put(t, "label", 1, 0), m),
        r"another label than.*\(0, not 1\)\n  seen: rte/train/1",
    ),
    "gold label lost": (
        lambda t, m: (put(t, "label", 1, None), m),
        r"another label than.*\(None, not 1\)\n  seen: rte/train/1",
    ),
    "other label order": (
        lambda t, m: (t, swapped(m)),
        r"label order is not \['entailment', 'not_entailment'\]\n  seen: \['not_ent",
    ),
    "other task": (lambda t, m: (t, {**m, "task": "qnli"}), r"another task than rte\n  seen: qnli"),
    "other version": (
        lambda t, m: (t, {**m, "schema_version": 0}),
        r"not a soft-label file of version 2\n  seen: version 0",
    ),
    "metadata gone": (lambda t, m: (t, {}), "not a soft-label file of version 2"),
    "rule gone": (lambda t, m: (t, without(m, "rule")), r"metadata lacks \['rule'\]"),
    "folds gone": (lambda t, m: (t, without(m, "folds")), r"metadata lacks \['folds'\]"),
    "other folds": (
        lambda t, m: (t, {**m, "folds": ["1", "2"]}),
        r"teacher m1 is not of folds \['1', '2'\]\n  seen: \['all'\]",
    ),
    "temperatures without folds": (
        lambda t, m: (t, {**m, "temperatures": {"m1": 1.0, "m2": 1.0}}),
        r"without folds no train row is unseen",
    ),
    "NaN logit": (
        lambda t, m: (put(t, "logits_m2", 3, [math.nan, 0.0]), m),
        r"logits_m2 is not finite\n  seen: rte/test/0",
    ),
    "infinite logit": (
        lambda t, m: (put(t, "logits_m1", 0, [0.0, -math.inf]), m),
        r"logits_m1 is not finite\n  seen: rte/train/0",
    ),
    "NaN probability": (
        lambda t, m: (put(t, "probabilities", 1, [math.nan, 0.5]), m),
        r"probabilities is not finite\n  seen: rte/train/1",
    ),
    "sum": (
        lambda t, m: (put(t, "probabilities", 1, [0.25, 0.7501]), m),
        r"do not add up to 1\n  seen: rte/train/1",
    ),
    "negative": (
        lambda t, m: (put(t, "probabilities", 1, [-0.25, 1.25]), m),
        r"a probability is negative\n  seen: rte/train/1",
    ),
    "not the rule's": (
        lambda t, m: (put(t, "probabilities", 1, [0.251, 0.749]), m),
        r"not what mean_probability makes of the members' logits\n  seen: rte/train/1",
    ),
    "another rule named": (
        lambda t, m: (t, {**m, "rule": "mean_logit"}),
        r"not what mean_logit makes of the members' logits\n  seen: rte/train/0",
    ),
    "unknown rule": (lambda t, m: (t, {**m, "rule": "median"}), r"no such ensemble rule"),
    "no weights": (lambda t, m: (t, {**m, "rule": "dev_weighted"}), r"takes 2 weights"),
    "weights of others": (lambda t, m: (t, {**m, "weights": {"m1": 1.0}}), r"weights of \['m1'\]"),
    "member without metadata": (
        lambda t, m: (t, {**m, "members": {"m1": m["members"]["m1"]}}),
        r"columns of \['m1', 'm2'\], but metadata of \['m1'\]",
    ),
    "member without column": (
        lambda t, m: (t.drop_columns("logits_m2"), m),
        r"columns of \['m1'\], but metadata of \['m1', 'm2'\]",
    ),
    "column gone": (lambda t, m: (t.drop_columns("text_hash"), m), "other columns than"),
    "split column gone": (lambda t, m: (t.drop_columns("split"), m), "other columns than"),
    "column renamed": (lambda t, m: (renamed(t, probabilities="score"), m), "other columns than"),
    "type": (
        lambda t, m: (t.set_column(3, "label", t["label"].cast(pa.int64())), m),
        "column label is not of type int32",
    ),
}


@pytest.mark.parametrize("fault", SPOILT)
def test_a_spoilt_file_is_refused_by_name(rte_soft_labels, rte_splits, fault):
    spoil, message = SPOILT[fault]
    table, metadata = parquet_file.read_table(rte_soft_labels)
    parquet_file.write_table(rte_soft_labels, *spoil(table, metadata))
    with pytest.raises(SoftLabelError) as error:
        store.read(rte_soft_labels, rte_splits)
    assert re.search(message, str(error.value))
    assert f"where: {rte_soft_labels}" in str(error.value)
    assert "fix: dvc repro ensemble@rte" in str(error.value)


@pytest.mark.parametrize("fault", ["duplicate row", "NaN logit", "sum", "not the rule's"])
def test_without_prepared_rows_the_file_itself_is_checked(rte_soft_labels, fault):
    spoil, message = SPOILT[fault]
    table, metadata = parquet_file.read_table(rte_soft_labels)
    assert len(store.read(rte_soft_labels)) == 4
    parquet_file.write_table(rte_soft_labels, *spoil(table, metadata))
    with pytest.raises(SoftLabelError, match=message):
        store.read(rte_soft_labels)


@pytest.mark.parametrize("content", [None, b"", b"row_id,split"], ids=["gone", "empty", "CSV"])
def test_no_parquet_file(rte_soft_labels, rte_splits, content):
    rte_soft_labels.unlink()
    if content is not None:
        rte_soft_labels.write_bytes(content)
    with pytest.raises(SoftLabelError, match="fix: dvc repro ensemble@rte"):
        store.read(rte_soft_labels, rte_splits)


# ---- faults in a member's logits -------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda m: changed(m, model={"name": "m9"}), r"they are of another member\n  seen: m9"),
        (lambda m: changed(m, task="qnli"), r"another task than rte\n  seen: qnli"),
        (lambda m: changed(m, labels=["not_entailment", "entailment"]), "label order is not"),
        (lambda m: logits.Logits(m.table.slice(1), m.metadata), r"missing\n  seen: rte/train/0"),
        (
            lambda m: logits.Logits(put(m.table, "text_hash", 1, "0" * 32), m.metadata),
            r"another text_hash than.*\n  seen: rte/train/1",
        ),
    ],
    ids=["member", "task", "labels", "missing row", "text"],
)
def test_logits_of_other_rows_are_refused(tmp_path, rte_splits, rte_members, spoil, message):
    path = tmp_path / "rte.parquet"
    with pytest.raises(SoftLabelError) as error:
        store.write(path, rte_splits, {**rte_members, "m2": spoil(rte_members["m2"])}, "mean_logit")
    assert re.search(message, str(error.value))
    assert "logits of teacher m2" in str(error.value)
    assert "fix: dvc repro ensemble@rte" in str(error.value)
    assert not path.exists()


def test_dev_weighted_needs_dev_metrics(tmp_path, rte_splits, rte_members):
    rte_members["m1"] = changed(rte_members["m1"], model={"name": "m1", "dev": {}})
    with pytest.raises(SoftLabelError, match=r"dev metrics\n  seen: teacher m1[^$]*ensemble\.rule"):
        store.write(tmp_path / "rte.parquet", rte_splits, rte_members, "dev_weighted")
