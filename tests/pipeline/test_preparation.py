from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import layouts, preparation, rows
from pipeline.params import file
from pipeline.params.definitions import Definition
from pipeline.params.sections import Caps, Params, TaskParams
from pipeline.tasks import GLUE

ROOT = Path(__file__).resolve().parents[2]
RTE = b"index\tsentence1\tsentence2\tlabel\n" + b"".join(
    b"%d\tA%d.\tB.\t%s\n" % (i, i, b"entailment" if i % 3 else b"not_entailment") for i in range(30)
)


@pytest.fixture(scope="module")
def defaults() -> Params:
    return file.load(ROOT / "profiles" / "sample.yaml")


def with_task(params: Params, name: str, task: TaskParams) -> Params:
    return params.model_copy(update={"tasks": {**params.tasks, name: task}})


def capped(params: Params, name: str, train=None, dev=None, test=None) -> Params:
    caps = Caps(train=train, dev=dev, test=test)
    return with_task(params, name, TaskParams(rows=caps))


def put(folder: Path, files: dict[str, bytes], layout: str = "tsv", source: str = "local") -> Path:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    note = {"source": source, "layout": layout, "files": {key: {} for key in files}}
    (folder / "source.json").write_text(json.dumps(note))
    return folder


# --- hand-made files


def test_rows_carry_id_position_texts_label_and_hash(tmp_path, defaults):
    found = preparation.prepare("rte", put(tmp_path / "rte", {"dev.tsv": RTE}), defaults)
    dev = found.splits["dev"]
    assert dev.table.schema.equals(rows.schema(GLUE["rte"]))
    assert dev.table.slice(3, 1).to_pylist() == [
        {
            "row_id": "rte/dev/3",
            "index": 3,
            "sentence1": "A3.",
            "sentence2": "B.",
            "label": 1,
            "text_hash": rows.text_hash("A3.", "B."),
        }
    ]


def test_metadata_says_all_of_the_contract(tmp_path, defaults):
    params = capped(defaults, "rte", dev=10)
    found = preparation.prepare("rte", put(tmp_path / "rte", {"dev.tsv": RTE}), params)
    assert found.splits["dev"].metadata == {
        "task": "rte",
        "title": "RTE",
        "split": "dev",
        "labels": ["entailment", "not_entailment"],
        "regression": False,
        "low": 0.0,
        "high": 0.0,
        "metrics": ["accuracy"],
        "glue": True,
        "source": "local",
        "source_rows": 30,
        "official_rows": 277,
        "partial": True,
        "cap": 10,
    }
    assert found.missing == ("train", "test")
    assert found.source == "local"


def test_generated_rows_are_not_measured_against_official_counts(tmp_path, defaults):
    folder = put(tmp_path / "rte", {"dev.tsv": RTE}, source="sample")
    metadata = preparation.prepare("rte", folder, defaults).splits["dev"].metadata
    assert (metadata["official_rows"], metadata["partial"]) == (None, False)


def test_a_cap_keeps_ids_order_and_shares(tmp_path, defaults):
    folder = put(tmp_path / "rte", {"dev.tsv": RTE, "train.tsv": RTE})
    every = preparation.prepare("rte", folder, defaults).splits["dev"].table
    found = preparation.prepare("rte", folder, capped(defaults, "rte", dev=9)).splits
    dev = found["dev"].table
    assert dev.num_rows == 9
    assert dev.equals(every.take(dev["index"]))
    assert dev["index"].to_pylist() == sorted(dev["index"].to_pylist())
    assert Counter(dev["label"].to_pylist()) == {0: 6, 1: 3}
    assert found["train"].table.num_rows == 30


def test_each_part_has_its_own_cap_and_ax_takes_tests(tmp_path, defaults):
    row = b"%d\tA.\tB.\tneutral\n"
    lines = b"index\tsentence1\tsentence2\tgold_label\n" + b"".join(row % i for i in range(9))
    bare = b"index\tsentence1\tsentence2\n" + b"".join(b"%d\tA.\tB.\n" % i for i in range(9))
    named = {layouts.tsv_name(split): lines for split in ("train", "dev_matched", "dev_mismatched")}
    named |= {layouts.tsv_name(split): bare for split in ("test_matched", "ax")}
    folder = put(tmp_path / "mnli", named)
    params = capped(defaults, "mnli", train=5, dev=4, test=3)
    found = preparation.prepare("mnli", folder, params)
    assert {split: len(rows) for split, rows in found.splits.items()} == {
        "train": 5,
        "dev_matched": 4,
        "dev_mismatched": 4,
        "test_matched": 3,
        "ax": 3,
    }
    assert found.missing == ("test_mismatched",)


def test_the_cap_seed_changes_which_rows_are_kept(tmp_path, defaults):
    folder = put(tmp_path / "rte", {"dev.tsv": RTE})
    params = capped(defaults, "rte", dev=9)
    other = params.model_copy(update={"data": params.data.model_copy(update={"cap_seed": 1})})
    one, two = (preparation.prepare("rte", folder, p).splits["dev"].table for p in (params, other))
    assert one["index"].to_pylist() != two["index"].to_pylist()


def test_a_task_of_ones_own_with_scores(tmp_path, defaults):
    own = Definition(
        title="Own", labels=[], sentence1="t", label="s", metrics=["pearson"], low=-1.0, high=1.0
    )
    caps = Caps(train=None, dev=None, test=None)
    params = with_task(defaults, "own", TaskParams(rows=caps, custom=own))
    files = {"train.tsv": b"s\tt\n-0.5\tA.\r\n1\tB.\n", "test.tsv": b"t\nC.\n"}
    found = preparation.prepare("own", put(tmp_path / "own", files, "custom"), params)
    train, test = found.splits["train"], found.splits["test"]
    assert train.table["label"].to_pylist() == [-0.5, 1.0]
    assert train.table["sentence1"].to_pylist() == ["A.\r", "B."]
    assert train.table["sentence2"].to_pylist() == [None, None]
    assert (train.metadata["low"], train.metadata["high"]) == (-1.0, 1.0)
    assert (train.metadata["glue"], train.metadata["official_rows"]) == (False, None)
    assert test.table["label"].to_pylist() == [None]
    assert found.missing == ("dev",)


def test_a_source_without_the_task_gives_no_rows(tmp_path, defaults):
    found = preparation.prepare("wnli", put(tmp_path / "wnli", {}), defaults)
    assert (found.splits, found.missing) == ({}, ("train", "dev", "test"))


def test_the_same_files_give_the_same_bytes(tmp_path, defaults):
    folder = put(tmp_path / "rte", {"dev.tsv": RTE})
    for name in ("a", "b"):
        dev = preparation.prepare("rte", folder, defaults).splits["dev"]
        rows.write(tmp_path / f"{name}.parquet", dev.table, dev.metadata)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


# --- the real files

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
    return preparation.prepare(name, put(tmp_path_factory.mktemp("raw") / name, files), params)


def column(real, task, split, name):
    return real[task].splits[split].table[name].to_pylist()


@pytest.mark.parametrize("name", GLUE)
def test_real_counts_are_the_official_ones_or_named_as_partial(real, name):
    task = GLUE[name]
    assert real[name].missing == ABSENT.get(name, ())
    for split, found in real[name].splits.items():
        expected = PARTIAL.get((name, split), task.rows[split])
        assert len(found) == found.metadata["source_rows"] == expected
        assert found.metadata["official_rows"] == task.rows[split]
        assert found.metadata["partial"] == ((name, split) in PARTIAL)


@pytest.mark.parametrize("name", GLUE)
def test_real_texts_and_labels_put_together_give_the_files_bytes(real, real_glue, name):
    layout = layouts.OFFICIAL[name]
    for split, found in real[name].splits.items():
        folder = real_glue / ("diagnostic" if split == "ax" else layout.folder)
        content = (folder / layouts.tsv_name(split)).read_bytes().decode("utf-8-sig")
        lines = content.removesuffix("\n").split("\n")
        names = layout.headless.get(split) or lines.pop(0).split("\t")
        cells = list(zip(*(line.split("\t") for line in lines), strict=True))
        for text, place in zip(("sentence1", "sentence2"), layout.texts, strict=False):
            assert found.table[text].to_pylist() == list(cells[names.index(place)])
        if layouts.is_labelled(split):
            spelt = cells[names.index(layout.label)]
            labels = found.table["label"].to_pylist()
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
    for found in real.values():
        for split, split_rows in found.splits.items():
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
    return sum(len(found) > 1 for found in labels.values())


@pytest.mark.parametrize(("name", "shared"), [("cola", 16), ("stsb", 6)])
def test_real_rows_shared_by_train_and_dev_stay_and_have_the_same_hash(real, name, shared):
    train, dev = (set(column(real, name, split, "text_hash")) for split in ("train", "dev"))
    assert len(train & dev) == shared


def test_real_rows_from_the_msr_files_are_those_of_the_tables(real, real_glue, tmp_path, defaults):
    names = (layouts.MSR_TRAIN, layouts.MSR_DEV_IDS)
    files = {name: (real_glue / "MRPC" / name).read_bytes() for name in names}
    found = preparation.prepare("mrpc", put(tmp_path / "mrpc", files, "msr"), defaults)
    for split in ("train", "dev"):
        assert found.splits[split].table.equals(real["mrpc"].splits[split].table)


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
    folder = put(tmp_path / name, {layouts.hub_name(split): b""}, "parquet")
    write_as_the_hub(folder / layouts.hub_name(split), expected, name)
    found = preparation.prepare(name, folder, defaults).splits[split]
    assert found.table.equals(expected.table)
    assert found.metadata == expected.metadata


def write_as_the_hub(path, expected, name):
    """The Hub's columns and class order, labels found by name."""
    labels = expected.table["label"]
    if names := HUB[name]:
        canonical = expected.metadata["labels"]
        labels = pa.array([names.index(canonical[label]) for label in labels.to_pylist()])
    texts = layouts.OFFICIAL[name].hub_texts
    columns = {text: expected.table[f"sentence{i}"] for i, text in enumerate(texts, 1)}
    pq.write_table(pa.table({**columns, "label": labels, "idx": expected.table["index"]}), path)
