from __future__ import annotations

import json
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import paths
from pipeline.data.formats import readers
from pipeline.data.formats.layouts import OFFICIAL
from pipeline.errors import DataError
from pipeline.tasks import GLUE

RTE = b"index\tsentence1\tsentence2\tlabel\n0\tA.\tB.\tentailment\n1\tC.\tD.\tnot_entailment\n"
RTE_TEST = b"index\tsentence1\tsentence2\n0\tE.\tF.\n"
MNLI = (
    b"index\tpromptID\tsentence1\tsentence2\tlabel1\tgold_label\n"
    b"0\t9\tA.\tB.\tentailment\tneutral\n1\t9\tC.\tD.\tneutral\tcontradiction\n"
)
AX = b"index\tsentence1\tsentence2\n0\tG.\tH."
COLA = b"gj04\t1\t\tA.\ngj04\t0\t*\tB."
COLA_TEST = b"index\tsentence\n0\tC.\n"
MSR = "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t1\t2\tA\tB\n0\t3\t4\tC\tD\n".encode()


def zipped(path, contents):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path.read_bytes()


def parquet(path, columns):
    pq.write_table(pa.table(columns), path)
    return path.read_bytes()


@pytest.fixture
def read(tmp_path):
    """`read(task, layout, {file: bytes})` gives each split's rows as tuples."""

    def made(task, layout, files):
        folder = tmp_path / "raw"
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        note = {"source": "local", "layout": layout, "files": {key: {} for key in files}}
        (folder / "source.json").write_text(json.dumps(note))
        split_readers = readers.readers(readers.read(folder, task), GLUE[task], OFFICIAL[task])
        return {split: rows(read()) for split, read in split_readers.items()}

    return made


def rows(table):
    return [tuple(row.values()) for row in table.to_pylist()]


RTE_ROWS = [("A.", "B.", 0), ("C.", "D.", 1)]


def test_official_tables(read):
    assert read("rte", "tsv", {"test.tsv": RTE_TEST, "train.tsv": RTE, "dev.tsv": RTE}) == {
        "train": RTE_ROWS,
        "dev": RTE_ROWS,
        "test": [("E.", "F.", None)],
    }


def test_cola_has_no_header_in_train_and_dev(read):
    assert read("cola", "tsv", {"train.tsv": COLA, "dev.tsv": COLA, "test.tsv": COLA_TEST}) == {
        "train": [("A.", None, 1), ("B.", None, 0)],
        "dev": [("A.", None, 1), ("B.", None, 0)],
        "test": [("C.", None, None)],
    }


def test_mnli_takes_the_gold_label_and_ax_is_a_split_of_it(read):
    splits = read("mnli", "tsv", {"dev_matched.tsv": MNLI, "diagnostic.tsv": AX})
    gold = [("A.", "B.", 1), ("C.", "D.", 2)]
    assert splits == {"dev_matched": gold, "ax": [("G.", "H.", None)]}


def test_a_published_zip_is_read_in_place(read, tmp_path):
    contents = {
        "RTE/train.tsv": RTE,
        "RTE/test.tsv": RTE_TEST,
        "__MACOSX/RTE/._train.tsv": b"\0",
        "RTE/original/dev.tsv": b"other",
    }
    splits = read("rte", "zip", {"RTE.zip": zipped(tmp_path / "a.zip", contents)})
    assert splits == {"train": RTE_ROWS, "test": [("E.", "F.", None)]}
    assert sorted(file.name for file in (tmp_path / "raw").iterdir()) == ["RTE.zip", "source.json"]


def test_mnlis_zip_comes_with_ax_beside_it(read, tmp_path):
    contents = {"MNLI/dev_mismatched.tsv": MNLI, "MNLI/dev_matched.tsv": MNLI}
    splits = read("mnli", "zip", {"MNLI.zip": zipped(tmp_path / "a.zip", contents), "AX.tsv": AX})
    assert list(splits) == ["dev_matched", "dev_mismatched", "ax"]
    assert splits["ax"] == [("G.", "H.", None)]


def test_msr_files_become_mrpc_and_its_test_labels_are_left_out(read):
    files = {"msr_paraphrase_train.txt": MSR, "mrpc_dev_ids.tsv": b"3\t4\n"}
    assert read("mrpc", "msr", {**files, "msr_paraphrase_test.txt": MSR}) == {
        "train": [("A", "B", 1)],
        "dev": [("C", "D", 0)],
        "test": [("A", "B", None), ("C", "D", None)],
    }


def test_dev_ids_that_name_no_row_are_a_fault(read):
    files = {"msr_paraphrase_train.txt": MSR, "mrpc_dev_ids.tsv": b"7\t8\n"}
    with pytest.raises(DataError, match="no rows of split dev"):
        read("mrpc", "msr", files)


def test_hub_files(read, tmp_path):
    columns = {"sentence1": ["A.", "C."], "sentence2": ["B.", "D."], "idx": [0, 1]}
    train = parquet(tmp_path / "a", {**columns, "label": [0, 1]})
    test = parquet(tmp_path / "b", {**columns, "label": [-1, -1]})
    name = "{}-00000-of-00001.parquet"
    splits = read("rte", "parquet", {name.format("validation"): train, name.format("test"): test})
    assert splits == {"dev": RTE_ROWS, "test": [("A.", "B.", None), ("C.", "D.", None)]}


@pytest.mark.parametrize(
    ("label", "seen"),
    [(b"maybe", "'maybe'; allowed: entailment, not_entailment"), (b"", "''; allowed: ")],
)
def test_an_unknown_label_is_named_with_line_value_and_the_known_ones(read, label, seen, tmp_path):
    content = RTE + b"2\tE.\tF.\t" + label + b"\n"
    with pytest.raises(DataError, match="unknown label") as error:
        read("rte", "tsv", {"train.tsv": content})
    assert str(error.value.seen).startswith(seen)
    assert error.value.where == f"{tmp_path / 'raw' / 'train.tsv'}, line 4, column 'label'"


def test_a_label_far_down_in_a_zip_is_named_by_its_line(read, tmp_path):
    lines = b"".join(b"%d\ta\tb\tentailment\n" % i for i in range(70_000))
    content = b"index\tsentence1\tsentence2\tlabel\n" + lines + b"x\ta\tb\tnone\n"
    archive = zipped(tmp_path / "a.zip", {"RTE/train.tsv": content})
    with pytest.raises(DataError) as error:
        read("rte", "zip", {"RTE.zip": archive})
    where = f"{tmp_path / 'raw' / 'RTE.zip'}: RTE/train.tsv, line 70002, column 'label'"
    assert error.value.where == where


@pytest.mark.parametrize("layout", ["custom", "csv", None])
def test_a_layout_that_does_not_fit_the_task_is_refused(read, layout):
    with pytest.raises(DataError, match="the raw files of rte have a layout"):
        read("rte", layout, {"train.tsv": RTE})


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"source": "local", "layout": "tsv"}', "\x00"])
def test_a_broken_note_is_named(tmp_path, text):
    (tmp_path / "source.json").write_text(text)
    with pytest.raises(DataError, match=r"not a usable source\.json"):
        readers.read(tmp_path, "rte")


def test_no_note_and_a_file_that_is_gone_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="no raw files of the task") as error:
        readers.read(paths.raw("rte"), "rte")
    assert error.value.fix == "dvc repro download@rte"
    note = {"source": "local", "layout": "tsv", "files": {"train.tsv": {}}}
    (tmp_path / "source.json").write_text(json.dumps(note))
    with pytest.raises(DataError, match=r"a file that source\.json lists is gone") as error:
        readers.read(tmp_path, "rte")
    assert error.value.where == tmp_path / "train.tsv"


@pytest.mark.parametrize(
    ("task", "columns", "content", "expected"),
    [
        ("rte", ("u", "t"), b"t\tx\tu\nA\t1\tB\n", [("B", "A", None)]),
        ("sst2", ("t",), b'\xef\xbb\xbft\r\n"A\r\n\r\n', [('"A', None, None), ("", None, None)]),
    ],
)
def test_texts_of_a_file_of_their_own(tmp_path, task, columns, content, expected):
    path = tmp_path / "own.tsv"
    path.write_bytes(content)
    assert rows(readers.texts(path, GLUE[task], columns)) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "the file is empty"), (b"t\n", "the file has no rows"), (b"x\nA\n", "missing column")],
)
def test_a_file_of_texts_without_texts_is_refused(tmp_path, content, message):
    path = tmp_path / "own.tsv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        readers.texts(path, GLUE["sst2"], ("t",))
    assert "fetch" not in str(error.value)
    assert str(path) in str(error.value.where)
