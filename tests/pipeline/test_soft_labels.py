"""Soft-label files: a whole one is read back, a spoilt one is refused with the offender's name."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import logits, parquet, paths, rows, soft_labels
from pipeline.errors import SoftLabelError
from pipeline.tasks import GLUE

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "soft-labels.md"
LN3 = math.log(3.0)
TEXTS = {
    "train": [("It rained.", "Rain fell.", 0), ("A dog.", "A cat.", 1)],
    "dev": [("Up.", "Down.", 1)],
    "test": [("Left.", "Right.", None)],
}
LOGITS = {
    "m1": {"train": [[LN3, 0.0], [0.0, LN3]], "dev": [[0.0, 0.0]], "test": [[2.0, 2.0]]},
    "m2": {"train": [[0.0, 0.0], [0.0, LN3]], "dev": [[0.0, LN3]], "test": [[LN3, 0.0]]},
}
PROBABILITIES = [[0.625, 0.375], [0.25, 0.75], [0.375, 0.625], [0.625, 0.375]]
IDS = ["rte/train/0", "rte/train/1", "rte/dev/0", "rte/test/0"]
DEV = {"m1": 0.2, "m2": 0.6, "m3": 0.5}


@pytest.fixture
def splits(make):
    return {split: make("rte", split, texts) for split, texts in TEXTS.items()}


@pytest.fixture
def members(tmp_path, splits):
    return write_members(tmp_path, splits, LOGITS)


@pytest.fixture
def path(tmp_path, splits, members):
    file = tmp_path / "rte.parquet"
    soft_labels.write(file, splits, members, "mean_probability")
    return file


def write_members(folder: Path, splits, values) -> dict[str, logits.Logits]:
    found = {}
    for name, of in values.items():
        arrays = {split: np.array(of[split]) for split in splits}
        model = {"name": name, "weights_sha256": "0" * 64, "dev": {"dev": {"accuracy": DEV[name]}}}
        logits.write(folder / f"{name}.parquet", splits, arrays, model)
        found[name] = logits.read(folder / f"{name}.parquet")
    return found


def hashes(split: str) -> list[str]:
    return [rows.text_hash(first, second) for first, second, _ in TEXTS[split]]


def test_schema_is_the_documented_one(path):
    table, metadata = rows.read_table(path)
    keys = ["row_id", "split", "text_hash", "label"]
    assert table.schema.names == [*keys, "logits_m1", "logits_m2", "probabilities"]
    assert [str(field.type) for field in table.schema] == [
        *["string"] * 3,
        "int32",
        *["fixed_size_list<element: float not null>[2]"] * 3,
    ]
    assert metadata["schema_version"] == 1
    assert metadata["task"] == "rte"
    assert metadata["labels"] == ["entailment", "not_entailment"]
    assert metadata["rule"] == "mean_probability"
    assert metadata["weights"] is None
    assert metadata["missing"] is False
    assert metadata["members"]["m2"] == {
        "name": "m2",
        "weights_sha256": "0" * 64,
        "dev": {"dev": {"accuracy": 0.6}},
    }


def test_reads_what_was_written(path, splits):
    found = soft_labels.read(path, splits)
    assert found.table["row_id"].to_pylist() == IDS
    assert found.table["label"].to_pylist() == [0, 1, 1, None]
    assert found.members == ("m1", "m2")
    assert found.task.rows == {"train": 2, "dev": 1, "test": 1}
    assert found.member_logits.shape == (2, 4, 2)
    assert found.member_logits[1, 2].tolist() == pytest.approx([0.0, LN3])
    assert found.probabilities == pytest.approx(np.array(PROBABILITIES), abs=1e-7)


@pytest.mark.parametrize(
    ("rule", "weights", "first"),
    [
        ("mean_probability", None, 0.625),
        ("mean_logit", None, math.sqrt(3) / (1 + math.sqrt(3))),
        ("dev_weighted", {"m1": 0.25, "m2": 0.75}, 0.25 * 0.75 + 0.75 * 0.5),
    ],
)
def test_each_rule_is_kept_and_checked(tmp_path, splits, members, rule, weights, first):
    path = tmp_path / "rte.parquet"
    soft_labels.write(path, splits, members, rule)
    found = soft_labels.read(path, splits)
    assert found.metadata["weights"] == (weights and pytest.approx(weights))
    assert found.probabilities[0, 0] == pytest.approx(first)


def test_targets_come_in_the_order_asked_for(path, splits):
    found = soft_labels.read(path, splits)
    train = hashes("train")
    assert found.targets(["rte/train/1", "rte/train/0"], train[::-1]) == pytest.approx(
        np.array([PROBABILITIES[1], PROBABILITIES[0]]), abs=1e-7
    )
    # T = 1/2 doubles log 3: (9/10 + 1/2) / 2.
    assert found.targets(["rte/train/0"], train[:1], 0.5) == pytest.approx(np.array([[0.7, 0.3]]))


def test_targets_at_temperature_one_are_the_stored_probabilities(path, splits):
    found = soft_labels.read(path, splits)
    every = [*hashes("train"), *hashes("dev"), *hashes("test")]
    assert np.array_equal(found.targets(IDS, every), found.probabilities)


@pytest.mark.parametrize(
    ("ids", "texts", "temperature", "message"),
    [
        (["rte/train/0", "rte/train/7"], ["x", "y"], 1.0, r"row is missing\n.*rte/train/7"),
        (["rte/train/0"], ["x"], 1.0, r"labelled as another text\n.*rte/train/0: .*, x"),
        (["rte/train/0"], hashes("train")[:1], 0.0, "temperature must be above 0"),
    ],
)
def test_targets_refuse(path, splits, ids, texts, temperature, message):
    with pytest.raises(SoftLabelError, match=message):
        soft_labels.read(path, splits).targets(ids, texts, temperature)


def test_regression_has_a_score_and_no_temperature(tmp_path, make):
    splits = {"train": make("stsb", "train", [("a", "b", 2.5), ("c", "d", 5.0)])}
    values = {"m1": {"train": [[2.0], [4.5]]}, "m2": {"train": [[3.0], [5.5]]}}
    members = write_members(tmp_path, splits, values)
    path = tmp_path / "stsb.parquet"
    soft_labels.write(path, splits, members, "mean_probability")
    found = soft_labels.read(path, splits)
    assert found.table.schema.names[-1] == "score"
    assert found.probabilities.tolist() == [[2.5], [5.0]]
    assert found.targets(["stsb/train/1"], [rows.text_hash("c", "d")], 4.0).tolist() == [[5.0]]


def test_members_may_come_in_another_row_order(tmp_path, splits, members, path):
    m1 = members["m1"]
    turned = logits.Logits(m1.table.take(pa.array([3, 1, 0, 2])), m1.metadata)
    again = tmp_path / "again.parquet"
    soft_labels.write(again, splits, {"m1": turned, "m2": members["m2"]}, "mean_probability")
    assert again.read_bytes() == path.read_bytes()


def test_a_task_the_source_lacks_has_an_empty_file(tmp_path, splits):
    path = tmp_path / "rte.parquet"
    soft_labels.write_missing(path, GLUE["rte"], "mean_logit")
    for prepared in (None, {"dev": splits["dev"]}, {}):
        found = soft_labels.read(path, prepared)
        assert (found.missing, len(found), found.members) == (True, 0, ())
        assert found.probabilities.shape == (0, 2)
        assert found.member_logits.shape == (0, 0, 2)
    with pytest.raises(SoftLabelError, match="when the source had no train rows"):
        soft_labels.read(path, splits)


def test_rows_that_the_source_no_longer_has_are_refused(path, splits):
    with pytest.raises(SoftLabelError, match="when the source had train rows"):
        soft_labels.read(path, {"dev": splits["dev"]})


# ---- faults in a file ----------------------------------------------------------------------


def put(table: pa.Table, name: str, at: int, value: object) -> pa.Table:
    """The table with one value changed."""
    where, field = table.schema.get_field_index(name), table.schema.field(name)
    values = table[name].to_pylist()
    values[at] = value
    return table.set_column(where, field, pa.array(values, field.type))


def renamed(table: pa.Table, **names: str) -> pa.Table:
    return table.rename_columns([names.get(name, name) for name in table.schema.names])


def swapped(metadata: dict[str, object]) -> dict[str, object]:
    return {**metadata, "labels": list(reversed(metadata["labels"]))}


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
        r"not a soft-label file of version 1\n  seen: version 0",
    ),
    "metadata gone": (lambda t, m: (t, {}), "not a soft-label file of version 1"),
    "rule gone": (
        lambda t, m: (t, {k: v for k, v in m.items() if k != "rule"}),
        r"metadata lacks \['rule'\]",
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
def test_a_spoilt_file_is_refused_by_name(path, splits, fault):
    spoil, message = SPOILT[fault]
    table, metadata = rows.read_table(path)
    rows.write_table(path, *spoil(table, metadata))
    with pytest.raises(SoftLabelError) as caught:
        soft_labels.read(path, splits)
    assert re.search(message, str(caught.value))
    assert f"where: {path}" in str(caught.value)
    assert "mend: dvc repro ensemble@rte" in str(caught.value)


@pytest.mark.parametrize("fault", ["duplicate row", "NaN logit", "sum", "not the rule's"])
def test_without_prepared_rows_the_file_itself_is_checked(path, fault):
    spoil, message = SPOILT[fault]
    table, metadata = rows.read_table(path)
    assert len(soft_labels.read(path)) == 4
    rows.write_table(path, *spoil(table, metadata))
    with pytest.raises(SoftLabelError, match=message):
        soft_labels.read(path)


@pytest.mark.parametrize("content", [None, b"", b"row_id,split"], ids=["gone", "empty", "CSV"])
def test_no_parquet_file(path, splits, content):
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SoftLabelError, match="mend: dvc repro ensemble@rte"):
        soft_labels.read(path, splits)


def test_another_version_of_the_data_is_named(path, make):
    newer = {split: make("rte", split, texts) for split, texts in TEXTS.items()}
    newer["dev"] = make("rte", "dev", [("Up.", "Down!", 1)])
    with pytest.raises(SoftLabelError, match=r"another text_hash than.*\n  seen: rte/dev/0"):
        soft_labels.read(path, newer)


def test_rounding_to_float32_is_within_the_tolerance(tmp_path, make):
    generator = np.random.default_rng(0)
    values = generator.normal(0, 30, (3, 500, 3))
    texts = [(f"a{i}", "b", i % 3) for i in range(500)]
    splits = {"train": make("mnli", "train", texts)}
    members = write_members(tmp_path, splits, {f"m{k + 1}": {"train": values[k]} for k in range(3)})
    for rule in ("mean_probability", "mean_logit", "dev_weighted"):
        path = tmp_path / "mnli.parquet"
        soft_labels.write(path, splits, members, rule)
        assert soft_labels.read(path, splits).probabilities.shape == (500, 3)


# ---- faults in a member's logits -------------------------------------------------------------


def changed(member: logits.Logits, **metadata: object) -> logits.Logits:
    return logits.Logits(member.table, {**member.metadata, **metadata})


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
def test_logits_of_other_rows_are_refused(tmp_path, splits, members, spoil, message):
    path = tmp_path / "rte.parquet"
    with pytest.raises(SoftLabelError) as caught:
        soft_labels.write(path, splits, {**members, "m2": spoil(members["m2"])}, "mean_logit")
    assert re.search(message, str(caught.value))
    assert "logits of teacher m2" in str(caught.value)
    assert "mend: dvc repro teach@rte-m2" in str(caught.value)
    assert not path.exists()


def test_dev_weighted_needs_dev_metrics(tmp_path, splits, members):
    members["m1"] = changed(members["m1"], model={"name": "m1", "dev": {}})
    with pytest.raises(SoftLabelError, match=r"dev metrics\n  seen: teacher m1[^$]*ensemble\.rule"):
        soft_labels.write(tmp_path / "rte.parquet", splits, members, "dev_weighted")


def test_a_streaming_reader_gets_row_groups(tmp_path, monkeypatch, splits, members):
    monkeypatch.setattr(parquet, "ROW_GROUP", 3)
    path = tmp_path / "rte.parquet"
    soft_labels.write(path, splits, members, "mean_probability")
    assert pq.ParquetFile(path).num_row_groups == 2
    found = soft_labels.read(path, splits)
    assert found.probabilities == pytest.approx(np.array(PROBABILITIES), abs=1e-7)


# ---- docs/soft-labels.md ---------------------------------------------------------------------


def test_the_documented_snippets_run(tmp_path, monkeypatch, capsys, splits, members):
    monkeypatch.chdir(tmp_path)
    for split, prepared in splits.items():
        rows.write(paths.prepared("rte") / f"{split}.parquet", prepared.table, prepared.metadata)
    soft_labels.write(paths.soft_labels("rte"), splits, members, "mean_probability")
    snippets = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len(snippets) == 4
    names: dict[str, object] = {}
    for snippet in snippets:
        exec(compile(snippet, str(DOCUMENT), "exec"), names)
    printed = capsys.readouterr().out
    assert "('entailment', 'not_entailment') ('m1', 'm2') mean_probability" in printed
    assert "gold one in 100.0% of the train rows" in printed
    assert "{'m1': {'dev': {'accuracy': 0.2}}, 'm2': {'dev': {'accuracy': 0.6}}}" in printed
    assert "[('rte/dev/0', 1, 0.375)]" in printed
    assert "dict_keys(['m1', 'm2'])" in printed


def test_every_column_and_metadata_key_is_documented(path):
    table, metadata = rows.read_table(path)
    text = DOCUMENT.read_text(encoding="utf-8")
    columns = {re.sub("logits_.*", "logits_<member>", name) for name in table.schema.names}
    assert [name for name in [*columns, *metadata] if f"`{name}`" not in text] == []
