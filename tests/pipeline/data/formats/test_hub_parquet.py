from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.data.formats import hub_parquet
from pipeline.data.formats.layouts import OFFICIAL
from pipeline.errors import DataError
from pipeline.tasks import GLUE


@pytest.fixture
def put(tmp_path):
    def made(columns, names=None):
        table = pa.table(columns)
        if names is not None:
            features = {"label": {"names": names, "_type": "ClassLabel"}}
            note = json.dumps({"info": {"features": features}})
            table = table.replace_schema_metadata({b"huggingface": note})
        path = tmp_path / "train-00000-of-00001.parquet"
        pq.write_table(table, path)
        return path

    return made


def mnli(labels):
    return {"premise": ["a", "b", "c"], "hypothesis": ["d", "e", " f "], "label": labels}


def read(path, task="mnli", split="train"):
    return hub_parquet.read(path, GLUE[task], OFFICIAL[task], split).to_pydict()


def test_columns_take_the_projects_names_and_texts_stay(put):
    assert read(put(mnli([0, 1, 2]))) == {
        "sentence1": ["a", "b", "c"],
        "sentence2": ["d", "e", " f "],
        "label": [0, 1, 2],
    }


def test_class_ids_follow_the_names_in_the_file_not_their_place(put):
    path = put(mnli([0, 1, 2]), ["contradiction", "neutral", "entailment"])
    assert read(path)["label"] == [2, 1, 0]


@pytest.mark.parametrize("split", ["test_matched", "ax"])
def test_withheld_labels_are_null(put, split):
    assert read(put(mnli([-1, -1, -1])), split=split)["label"] == [None] * 3


def test_a_single_sentence_has_no_second_one(put):
    path = put({"sentence": ["a ", "b"], "label": [1, 0], "idx": [0, 1]})
    columns = read(path, "sst2")
    assert columns == {"sentence1": ["a ", "b"], "sentence2": [None, None], "label": [1, 0]}


def test_scores_are_float32(put):
    columns = {"sentence1": ["a"], "sentence2": ["b"], "label": pa.array([0.8], pa.float64())}
    table = hub_parquet.read(put(columns), GLUE["stsb"], OFFICIAL["stsb"], "train")
    assert table.schema.field("label").type == pa.float32()
    assert table["label"].to_pylist() == [pytest.approx(0.8, abs=1e-7)]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int8(), pa.string())])
def test_texts_may_be_stored_in_other_string_types(put, kind):
    columns = {**mnli([0, 1, 2]), "premise": pa.array(["a", "b", "a"]).cast(kind)}
    assert read(put(columns))["sentence1"] == ["a", "b", "a"]


@pytest.mark.parametrize(
    ("columns", "names", "what", "where"),
    [
        ({"premise": ["a"], "label": [0]}, None, "missing column 'hypothesis'", ""),
        ({"premise": ["a"], "hypothesis": ["b"]}, None, "missing column 'label'", ""),
        (mnli([0, 3, 0]), None, "unknown label", ", row 1, column 'label'"),
        (mnli([0, 0, -1]), None, "unknown label", ", row 2, column 'label'"),
        (mnli([None, 0, 0]), None, "unknown label", ", row 0, column 'label'"),
        (mnli(["a", "b", "c"]), None, "column 'label' does not hold class ids", ""),
        (
            mnli([0, 1, 0]),
            ["entailment", "not_entailment"],
            "the file's class names are not the task's",
            ", metadata of column 'label'",
        ),
        (
            {**mnli([0, 1, 2]), "premise": ["a", None, "c"]},
            None,
            "a text is null",
            ", row 1, column 'premise'",
        ),
        ({**mnli([0, 1, 2]), "premise": [[1], [2], [3]]}, None, "column 'premise' is not text", ""),
        (
            {**mnli([0, 1, 2]), "premise": pa.array([b"a", b"\xff", b"c"]).view(pa.string())},
            None,
            "not a readable Parquet file",
            "",
        ),
        ({k: pa.array([], pa.string()) for k in mnli([])}, None, "the file has no rows", ""),
    ],
)
def test_a_fault_is_named_with_its_place(put, columns, names, what, where):
    path = put(columns, names)
    with pytest.raises(DataError) as error:
        read(path)
    assert (error.value.what, str(error.value.where)) == (what, f"{path}{where}")


@pytest.mark.parametrize("score", [-1.0, 5.5, float("nan"), None])
def test_a_score_out_of_range_is_refused(put, score):
    labels = pa.array([score], pa.float32())
    path = put({"sentence1": ["a"], "sentence2": ["b"], "label": labels})
    with pytest.raises(DataError, match="unknown label") as error:
        read(path, "stsb")
    assert str(error.value.seen) == f"{score!r}; allowed: a number from 0 to 5"


def test_a_file_that_is_cut_short_is_named(put):
    path = put(mnli([0, 1, 2]))
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DataError, match="not a readable Parquet file"):
        read(path)


def test_damaged_pages_are_named(put):
    path = put(mnli([0, 1, 2]))
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + bytes([0xFF] * 20) + whole[24:])
    with pytest.raises(DataError, match="not a readable Parquet file") as error:
        read(path)
    assert error.value.where == path


@pytest.mark.parametrize(
    "note",
    [
        b"no json",
        b"\xff\xfe",
        b"[]",
        b'{"info": null}',
        b'{"info": {"features": {"label": {"names": [0, "neutral", null]}}}}',
        b'{"info": {"features": {"label": {"names": 3}}}}',
    ],
)
def test_class_names_that_cannot_be_read_are_named(put, note):
    path = put(mnli([0, 1, 2]))
    pq.write_table(pq.read_table(path).replace_schema_metadata({b"huggingface": note}), path)
    with pytest.raises(DataError, match="class names") as error:
        read(path)
    assert str(error.value.where) == f"{path}, metadata of column 'label'"
