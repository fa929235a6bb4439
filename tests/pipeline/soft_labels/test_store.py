"""Soft-label files: a whole one is read back, its rows are those asked for, docs tell of it."""

from __future__ import annotations

import math
import re
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import paths
from pipeline.data import parquet_file, row_tables, rows
from pipeline.errors import SoftLabelError
from pipeline.params.rules import WORDS
from pipeline.soft_labels import ensemble_rules, logits, store
from pipeline.tasks import GLUE
from tests.pipeline.conftest import LN3, TEXTS, make_rows, write_members

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "reference" / "soft-labels.md"
PROBABILITIES = [[0.625, 0.375], [0.25, 0.75], [0.375, 0.625], [0.625, 0.375]]
IDS = ["rte/train/0", "rte/train/1", "rte/dev/0", "rte/test/0"]


def hashes(split: str) -> list[str]:
    return [rows.text_hash(first, second) for first, second, _ in TEXTS[split]]


def test_schema_is_the_documented_one(rte_soft_labels):
    table, metadata = parquet_file.read_table(rte_soft_labels)
    keys = ["row_id", "split", "text_hash", "label"]
    assert table.schema.names == [*keys, "logits_m1", "logits_m2", "probabilities"]
    assert [str(field.type) for field in table.schema] == [
        *["string"] * 3,
        "int32",
        *["fixed_size_list<element: float not null>[2]"] * 3,
    ]
    assert metadata["schema_version"] == 2
    assert metadata["task"] == "rte"
    assert metadata["labels"] == ["entailment", "not_entailment"]
    assert metadata["rule"] == "mean_probability"
    assert metadata["weights"] is None
    assert metadata["temperatures"] is None
    assert metadata["folds"] == ["all"]
    assert metadata["missing"] is False
    assert metadata["members"]["m2"] == {
        "name": "m2",
        "weights_sha256": "0" * 64,
        "dev": {"dev": {"accuracy": 0.6}},
    }


def test_reads_what_was_written(rte_soft_labels, rte_splits):
    soft_labels = store.read(rte_soft_labels, rte_splits)
    assert soft_labels.table["row_id"].to_pylist() == IDS
    assert soft_labels.table["label"].to_pylist() == [0, 1, 1, None]
    assert soft_labels.members == ("m1", "m2")
    assert soft_labels.task.rows == {"train": 2, "dev": 1, "test": 1}
    assert soft_labels.member_logits.shape == (2, 4, 2)
    assert soft_labels.member_logits[1, 2].tolist() == pytest.approx([0.0, LN3])
    assert soft_labels.probabilities == pytest.approx(np.array(PROBABILITIES), abs=1e-7)


def test_folds_calibration_and_transfer_rows_are_kept(rte_calibrated, rte_all_splits):
    soft_labels = store.read(rte_calibrated, rte_all_splits)
    assert soft_labels.folds == ("1", "2")
    assert soft_labels.temperatures == [0.5, 2.0]
    assert soft_labels.task.rows == {"train": 2, "dev": 1, "test": 1, "transfer": 2}
    assert soft_labels.table["label"].to_pylist() == [0, 1, 1, None, None, None]
    # The columns keep the raw logits.
    assert soft_labels.member_logits[1, 5].tolist() == pytest.approx([2 * LN3, 0.0])
    # m1: T = 1/2 makes (9, 1) / 10 of (log 3, 0). m2: T = 2 makes (3, 1) / 4 of (2 log 3, 0).
    half = math.sqrt(3.0) / (1 + math.sqrt(3.0))  # m2: (log 3, 0) / 2
    first = [0.7, (0.1 + 1 - half) / 2, (0.5 + 1 - half) / 2, (0.5 + half) / 2]
    assert soft_labels.probabilities[:4, 0] == pytest.approx(first)
    assert soft_labels.probabilities[4:, 0] == pytest.approx([(0.9 + half) / 2, (0.5 + 0.75) / 2])


def test_targets_multiply_the_temperatures(rte_calibrated, rte_all_splits):
    soft_labels = store.read(rte_calibrated, rte_all_splits)
    ids = ["rte/transfer/1", "rte/train/0"]
    texts = [rows.text_hash("Hot.", "Cold."), hashes("train")[0]]
    # T = 1/2 undoes m2's 2: (9, 1) / 10. Together with m1's 1/2, log 3 is times 4: (81, 1) / 82.
    expected = [[0.7, 0.3], [(81 / 82 + 0.5) / 2, (1 / 82 + 0.5) / 2]]
    assert soft_labels.targets(ids, texts, 0.5) == pytest.approx(np.array(expected))
    assert np.array_equal(soft_labels.targets(ids, texts), soft_labels.probabilities[[5, 0]])


def test_a_reader_of_the_prepared_rows_may_leave_transfer_rows_alone(rte_calibrated, rte_splits):
    assert len(store.read(rte_calibrated, rte_splits)) == 6
    assert len(store.read(rte_calibrated)) == 6


def test_transfer_rows_that_nobody_labelled_are_missed(rte_soft_labels, rte_all_splits):
    with pytest.raises(SoftLabelError, match=r"row is missing\n.*rte/transfer/0 \(and 1 more\)"):
        store.read(rte_soft_labels, rte_all_splits)


@given(
    st.integers(1, 4),
    st.sampled_from(WORDS),
    st.booleans(),
    st.integers(0, 2**32 - 1),
    st.floats(0.1, 10.0),
)
def test_what_is_written_is_read(members, rule, calibrated, seed, temperature):
    """Any members, rule and calibration: raw logits come back, soft labels fit them."""
    random = np.random.default_rng(seed)
    sizes = {"train": 5, "dev_matched": 2, "transfer": 3}
    splits = {
        split: make_rows(
            GLUE["mnli"],
            split,
            [(f"{split} {at}", "b", None if split == "transfer" else at % 3) for at in range(size)],
        )
        for split, size in sizes.items()
    }
    values = {f"m{k}": random.normal(0, 5, (10, 3)).astype(np.float32) for k in range(members)}
    member_logits = {
        name: logits.Logits(
            logits.tabulate(splits, of), logits.describe(GLUE["mnli"], manifest(name))
        )
        for name, of in values.items()
    }
    fitted = {name: float(random.uniform(0.1, 5)) for name in member_logits} if calibrated else None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mnli.parquet"
        store.write(path, splits, member_logits, rule, fitted)
        read = store.read(path, splits)
        assert np.array_equal(read.member_logits, np.stack(list(values.values())))
        assert read.temperatures == (fitted and list(fitted.values()))
        ids, texts = (read.table[name].to_pylist() for name in ("row_id", "text_hash"))
        divided = [of / (fitted or {}).get(name, 1.0) for name, of in values.items()]
        expected = ensemble_rules.combine(np.stack(divided), rule, read.weights, temperature)
        targets = read.targets(ids, texts, temperature)
        assert np.allclose(targets, expected, rtol=0, atol=1e-6)


def manifest(name: str) -> dict[str, object]:
    return {"name": name, "dev": {"dev_matched": {"accuracy": 0.5}}, "folds": ["1", "2"]}


@pytest.mark.parametrize(
    ("rule", "weights", "first"),
    [
        ("mean_probability", None, 0.625),
        ("mean_logit", None, math.sqrt(3) / (1 + math.sqrt(3))),
        ("dev_weighted", {"m1": 0.25, "m2": 0.75}, 0.25 * 0.75 + 0.75 * 0.5),
    ],
)
def test_each_rule_is_kept_and_checked(tmp_path, rte_splits, rte_members, rule, weights, first):
    path = tmp_path / "rte.parquet"
    store.write(path, rte_splits, rte_members, rule)
    soft_labels = store.read(path, rte_splits)
    assert soft_labels.metadata["weights"] == (weights and pytest.approx(weights))
    assert soft_labels.probabilities[0, 0] == pytest.approx(first)


def test_targets_come_in_the_order_asked_for(rte_soft_labels, rte_splits):
    soft_labels = store.read(rte_soft_labels, rte_splits)
    train = hashes("train")
    assert soft_labels.targets(["rte/train/1", "rte/train/0"], train[::-1]) == pytest.approx(
        np.array([PROBABILITIES[1], PROBABILITIES[0]]), abs=1e-7
    )
    # T = 1/2 doubles log 3: (9/10 + 1/2) / 2.
    assert soft_labels.targets(["rte/train/0"], train[:1], 0.5) == pytest.approx(
        np.array([[0.7, 0.3]])
    )


def test_targets_at_temperature_one_are_the_stored_probabilities(rte_soft_labels, rte_splits):
    soft_labels = store.read(rte_soft_labels, rte_splits)
    every = [*hashes("train"), *hashes("dev"), *hashes("test")]
    assert np.array_equal(soft_labels.targets(IDS, every), soft_labels.probabilities)


@pytest.mark.parametrize(
    ("ids", "texts", "temperature", "message"),
    [
        (["rte/train/0", "rte/train/7"], ["x", "y"], 1.0, r"row is missing\n.*rte/train/7"),
        (["rte/train/0"], ["x"], 1.0, r"labelled as another text\n.*rte/train/0: .*, x"),
        (["rte/train/0"], hashes("train")[:1], 0.0, "temperature must be above 0"),
    ],
)
def test_targets_refuse(rte_soft_labels, rte_splits, ids, texts, temperature, message):
    with pytest.raises(SoftLabelError, match=message):
        store.read(rte_soft_labels, rte_splits).targets(ids, texts, temperature)


def test_regression_has_a_score_and_no_temperature(tmp_path, make):
    splits = {"train": make("stsb", "train", [("a", "b", 2.5), ("c", "d", 5.0)])}
    values = {"m1": {"train": [[2.0], [4.5]]}, "m2": {"train": [[3.0], [5.5]]}}
    members = write_members(tmp_path, splits, values)
    path = tmp_path / "stsb.parquet"
    store.write(path, splits, members, "mean_probability")
    soft_labels = store.read(path, splits)
    assert soft_labels.table.schema.names[-1] == "score"
    assert soft_labels.probabilities.tolist() == [[2.5], [5.0]]
    assert soft_labels.targets(["stsb/train/1"], [rows.text_hash("c", "d")], 4.0).tolist() == [
        [5.0]
    ]


def test_members_may_come_in_another_row_order(tmp_path, rte_splits, rte_members, rte_soft_labels):
    m1 = rte_members["m1"]
    turned = logits.Logits(m1.table.take(pa.array([3, 1, 0, 2])), m1.metadata)
    again = tmp_path / "again.parquet"
    store.write(again, rte_splits, {"m1": turned, "m2": rte_members["m2"]}, "mean_probability")
    assert again.read_bytes() == rte_soft_labels.read_bytes()


def test_a_task_the_source_lacks_has_an_empty_file(tmp_path, rte_splits):
    path = tmp_path / "rte.parquet"
    store.write_missing(path, GLUE["rte"], "mean_logit")
    for prepared in (None, {"dev": rte_splits["dev"]}, {}):
        soft_labels = store.read(path, prepared)
        assert (soft_labels.missing, len(soft_labels), soft_labels.members) == (True, 0, ())
        assert soft_labels.probabilities.shape == (0, 2)
        assert soft_labels.member_logits.shape == (0, 0, 2)
    with pytest.raises(SoftLabelError, match="when the source had no train rows"):
        store.read(path, rte_splits)


def test_rows_that_the_source_no_longer_has_are_refused(rte_soft_labels, rte_splits):
    with pytest.raises(SoftLabelError, match="when the source had train rows"):
        store.read(rte_soft_labels, {"dev": rte_splits["dev"]})


def test_another_version_of_the_data_is_named(rte_soft_labels, make):
    newer = {split: make("rte", split, texts) for split, texts in TEXTS.items()}
    newer["dev"] = make("rte", "dev", [("Up.", "Down!", 1)])
    with pytest.raises(SoftLabelError, match=r"another text_hash than.*\n  seen: rte/dev/0"):
        store.read(rte_soft_labels, newer)


def test_rounding_to_float32_is_within_the_tolerance(tmp_path, make):
    generator = np.random.default_rng(0)
    values = generator.normal(0, 30, (3, 500, 3))
    texts = [(f"a{i}", "b", i % 3) for i in range(500)]
    splits = {"train": make("mnli", "train", texts)}
    members = write_members(tmp_path, splits, {f"m{k + 1}": {"train": values[k]} for k in range(3)})
    for rule in ("mean_probability", "mean_logit", "dev_weighted"):
        path = tmp_path / "mnli.parquet"
        store.write(path, splits, members, rule)
        assert store.read(path, splits).probabilities.shape == (500, 3)


def test_a_streaming_reader_gets_row_groups(tmp_path, monkeypatch, rte_splits, rte_members):
    monkeypatch.setattr(row_tables, "ROW_GROUP", 3)
    path = tmp_path / "rte.parquet"
    store.write(path, rte_splits, rte_members, "mean_probability")
    assert pq.ParquetFile(path).num_row_groups == 2
    soft_labels = store.read(path, rte_splits)
    assert soft_labels.probabilities == pytest.approx(np.array(PROBABILITIES), abs=1e-7)


# ---- docs/reference/soft-labels.md ---------------------------------------------------


def test_the_documented_snippets_run(tmp_path, monkeypatch, capsys, rte_splits, rte_members):
    monkeypatch.chdir(tmp_path)
    for split, prepared in rte_splits.items():
        rows.write(paths.prepared("rte") / f"{split}.parquet", prepared.table, prepared.metadata)
    store.write(paths.soft_labels("rte"), rte_splits, rte_members, "mean_probability")
    snippets = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len(snippets) == 4
    names: dict[str, object] = {}
    for snippet in snippets:
        exec(compile(snippet, str(DOCUMENT), "exec"), names)
    printed = capsys.readouterr().out
    assert "('entailment', 'not_entailment') ('m1', 'm2') mean_probability" in printed
    assert "\n('all',) None\n" in printed
    assert "gold one in 100.0% of the train rows" in printed
    assert "{'m1': {'dev': {'accuracy': 0.2}}, 'm2': {'dev': {'accuracy': 0.6}}}" in printed
    assert "[('rte/dev/0', 1, 0.375)]" in printed
    assert "dict_keys(['m1', 'm2'])" in printed


def test_every_column_and_metadata_key_is_documented(rte_calibrated):
    table, metadata = parquet_file.read_table(rte_calibrated)
    text = DOCUMENT.read_text(encoding="utf-8")
    columns = {re.sub("logits_.*", "logits_<member>", name) for name in table.schema.names}
    assert [name for name in [*columns, *metadata] if f"`{name}`" not in text] == []
