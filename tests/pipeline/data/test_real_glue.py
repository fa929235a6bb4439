"""Rows that are made of the real GLUE files."""

from __future__ import annotations

from collections import defaultdict

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.data import prepare
from pipeline.data.formats import layouts
from pipeline.params.sections import Caps, TaskParams, Transfer
from pipeline.tasks import GLUE
from tests.pipeline.conftest import put_source

PARTIAL = {("qqp", "train"): 19_495, ("qqp", "dev"): 2_000} | {
    ("mnli", "train"): 10_233,
    ("qnli", "train"): 10_145,
}
ABSENT = {"qqp": ("test",), "mnli": ("test_matched", "test_mismatched")}


@pytest.fixture(scope="module")
def real(real_glue, defaults, tmp_path_factory):
    """Every task of the real folder, prepared."""
    return {name: prepare_real(name, real_glue, tmp_path_factory, defaults) for name in GLUE}


def prepare_real(name, real_glue, tmp_path_factory, params):
    task, folder = GLUE[name], real_glue / layouts.OFFICIAL[name].folder
    paths = {layouts.tsv_name(split): folder / layouts.tsv_name(split) for split in task.rows}
    paths["diagnostic.tsv"] = real_glue / "diagnostic" / "diagnostic.tsv"
    files = {
        file: path.read_bytes()
        for file, path in paths.items()
        if path.exists() and (file != "diagnostic.tsv" or name == "mnli")
    }
    return prepare.prepare(name, put_source(tmp_path_factory.mktemp("raw") / name, files), params)


def column(real, task, split, name):
    return real[task].splits[split].table[name].to_pylist()


@pytest.mark.parametrize("name", GLUE)
def test_real_counts_are_the_official_ones_or_named_as_partial(real, name):
    task = GLUE[name]
    assert real[name].missing == ABSENT.get(name, ())
    for split, rows in real[name].splits.items():
        expected = PARTIAL.get((name, split), task.rows[split])
        assert len(rows) == rows.metadata["source_rows"] == expected
        assert rows.metadata["official_rows"] == task.rows[split]
        assert rows.metadata["partial"] == ((name, split) in PARTIAL)


@pytest.mark.parametrize("name", GLUE)
def test_real_texts_and_labels_put_together_give_the_files_bytes(real, real_glue, name):
    layout = layouts.OFFICIAL[name]
    for split, rows in real[name].splits.items():
        folder = real_glue / ("diagnostic" if split == "ax" else layout.folder)
        content = (folder / layouts.tsv_name(split)).read_bytes().decode("utf-8-sig")
        lines = content.removesuffix("\n").split("\n")
        names = layout.headless.get(split) or lines.pop(0).split("\t")
        cells = list(zip(*(line.split("\t") for line in lines), strict=True))
        for text, place in zip(("sentence1", "sentence2"), layout.texts, strict=False):
            assert rows.table[text].to_pylist() == list(cells[names.index(place)])
        if layouts.is_labelled(split):
            spelt = cells[names.index(layout.label)]
            labels = rows.table["label"].to_pylist()
            if layout.spellings:
                assert [layout.spellings[label] for label in labels] == list(spelt)
            else:
                assert labels == pytest.approx([float(text) for text in spelt], abs=1e-6)


def test_real_byte_order_marks_are_taken_off_and_inner_ones_stay(real):
    assert column(real, "qnli", "dev", "sentence2")[60].count("\ufeff") == 3
    for split in ("train", "dev"):
        texts = column(real, "mrpc", split, "sentence1")
        assert not any("\ufeff" in text for text in texts)


def test_real_control_characters_stay(real):
    cola = column(real, "cola", "train", "sentence1")
    assert [i + 1 for i, text in enumerate(cola) if "\x08" in text] == [7130, 7131, 7132]
    first, second = (
        column(real, "stsb", "train", "sentence1"),
        column(real, "stsb", "train", "sentence2"),
    )
    assert "\x12" in first[2918] + second[2918]
    rte = "".join(column(real, "rte", "test", "sentence1"))
    assert "\xa0" in rte
    assert "\xad" in rte


def test_real_trailing_spaces_stay(real):
    for split in ("train", "dev"):
        assert all(text.endswith(" ") for text in column(real, "sst2", split, "sentence1"))


def test_real_withheld_labels_are_null_and_others_never(real):
    for prepared in real.values():
        for split, split_rows in prepared.splits.items():
            nulls = split_rows.table["label"].null_count
            assert nulls == (0 if layouts.is_labelled(split) else len(split_rows))


def test_real_duplicates_with_conflicting_labels_stay(real):
    # A fifth group of STS-B differs in the spelling of one score only.
    assert [conflicts(real, name) for name in ("cola", "sst2", "stsb")] == [11, 5, 4]


def conflicts(real, name):
    table = real[name].splits["train"].table
    labels = defaultdict(set)
    for key, label in zip(table["text_hash"].to_pylist(), table["label"].to_pylist(), strict=True):
        labels[key].add(label)
    return sum(len(classes) > 1 for classes in labels.values())


@pytest.mark.parametrize(("name", "shared"), [("cola", 16), ("stsb", 6)])
def test_real_rows_shared_by_train_and_dev_stay_and_have_the_same_hash(real, name, shared):
    train, dev = (set(column(real, name, split, "text_hash")) for split in ("train", "dev"))
    assert len(train & dev) == shared


def test_real_rows_from_the_msr_files_are_those_of_the_tables(real, real_glue, tmp_path, defaults):
    names = (layouts.MSR_TRAIN, layouts.MSR_DEV_IDS)
    files = {name: (real_glue / "MRPC" / name).read_bytes() for name in names}
    prepared = prepare.prepare("mrpc", put_source(tmp_path / "mrpc", files, "msr"), defaults)
    for split in ("train", "dev"):
        assert prepared.splits[split].table.equals(real["mrpc"].splits[split].table)


HUB = {
    "cola": ("unacceptable", "acceptable"),
    "sst2": ("negative", "positive"),
    "mrpc": ("not_equivalent", "equivalent"),
    "stsb": None,
    "qqp": ("not_duplicate", "duplicate"),
    "mnli": ("entailment", "neutral", "contradiction"),
    "qnli": ("entailment", "not_entailment"),
    "rte": ("entailment", "not_entailment"),
    "wnli": ("not_entailment", "entailment"),
}


@pytest.mark.parametrize("name", GLUE)
def test_real_rows_are_the_same_from_the_hubs_parquet(real, name, tmp_path, defaults):
    split = GLUE[name].dev_splits[0]
    expected = real[name].splits[split]
    folder = put_source(tmp_path / name, {layouts.hub_name(split): b""}, "parquet")
    write_as_the_hub(folder / layouts.hub_name(split), expected, name)
    rows = prepare.prepare(name, folder, defaults).splits[split]
    assert rows.table.equals(expected.table)
    assert rows.metadata == expected.metadata


def write_as_the_hub(path, expected, name):
    """The Hub's columns and class order, labels found by name."""
    labels = expected.table["label"]
    if names := HUB[name]:
        canonical = expected.metadata["labels"]
        labels = pa.array([names.index(canonical[label]) for label in labels.to_pylist()])
    texts = layouts.OFFICIAL[name].hub_texts
    columns = {text: expected.table[f"sentence{i}"] for i, text in enumerate(texts, 1)}
    pq.write_table(pa.table({**columns, "label": labels, "idx": expected.table["index"]}), path)


@pytest.mark.parametrize(("name", "cap"), [("qqp", 5000), ("cola", 4000), ("stsb", 3000)])
def test_real_rest_rows_are_no_train_or_held_out_rows(
    real, real_glue, tmp_path_factory, defaults, name, cap
):
    """The files of CoLA and STS-B repeat texts; the counts are worked out anew from the hashes."""
    caps = Caps(train=cap, dev=None, test=None)
    params = defaults.model_copy(
        update={
            "tasks": {name: TaskParams(rows=caps)},
            "transfer": {name: Transfer(source="rest", rows=None)},
        }
    )
    prepared = prepare_real(name, real_glue, tmp_path_factory, params)
    train, further = prepared.splits["train"].table, prepared.transfer.table
    whole = dict(
        zip(
            column(real, name, "train", "index"),
            column(real, name, "train", "text_hash"),
            strict=True,
        )
    )
    rest = [whole[index] for index in whole.keys() - set(train["index"].to_pylist())]
    held_out = {
        text
        for split in real[name].splits
        if split != "train"
        for text in column(real, name, split, "text_hash")
    }
    left = [text for text in rest if text not in held_out]
    expected = set(left) - set(train["text_hash"].to_pylist())
    assert sorted(further["text_hash"].to_pylist()) == sorted(expected)
    assert prepared.transfer.metadata["transfer"] == {
        "source": "rest",
        "file": None,
        "duplicates": len(left) - len(expected),
        "held_out": len(rest) - len(left),
    }
    assert prepared.transfer.metadata["source_rows"] == len(whole) - cap
    assert all(
        whole[index] == text
        for index, text in zip(
            further["index"].to_pylist(), further["text_hash"].to_pylist(), strict=True
        )
    )
