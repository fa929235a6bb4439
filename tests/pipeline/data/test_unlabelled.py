"""Transfer rows: which are taken, in which order, and which never are.

Run with: python -m pytest tests/pipeline/data/test_unlabelled.py
"""

from __future__ import annotations

import pytest

from pipeline.data import rows
from pipeline.data.formats import layouts
from pipeline.params.custom_tasks import CustomTask
from tests.pipeline.data.conftest import pairs

# The seeded order of 20 train rows of RTE; a cap of 5 keeps the first five.
ORDER = [18, 8, 11, 9, 4, 15, 12, 10, 1, 5]
TEXTS = [f"A{i}." for i in range(20)]


def unlabelled(texts):
    return pairs(texts, b"")


def taken(prepared, column="index"):
    return prepared.transfer.table[column].to_pylist()


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(1, [15]), (3, [10, 12, 15]), (5, [1, 5, 10, 12, 15])],
)
def test_rest_goes_on_in_the_caps_order(prepare, limit, expected):
    rest = {"source": "rest", "rows": limit}
    prepared = prepare("rte", {"train.tsv": pairs(TEXTS)}, rest, train=5)
    assert prepared.splits["train"].table["index"].to_pylist() == sorted(ORDER[:5])
    assert taken(prepared) == expected
    assert taken(prepared, "row_id") == [f"rte/transfer/rest/{i}" for i in expected]
    assert taken(prepared, "sentence1") == [f"A{i}." for i in expected]
    assert taken(prepared, "text_hash") == [rows.text_hash(f"A{i}.", "B.") for i in expected]
    assert taken(prepared, "label") == [None] * limit


def test_train_and_rest_are_what_a_larger_cap_keeps(prepare):
    labels = [b"\tentailment", b"\tnot_entailment"]
    lines = pairs(TEXTS, b"\t?").split(b"\n")
    train = b"\n".join(line.replace(b"\t?", labels[i % 3 == 0]) for i, line in enumerate(lines))
    small = prepare("rte", {"train.tsv": train}, {"source": "rest", "rows": 6}, train=7)
    large = prepare("rte", {"train.tsv": train}, {"source": "rest"}, train=13)
    both = small.splits["train"].table["index"].to_pylist() + taken(small)
    assert sorted(both) == large.splits["train"].table["index"].to_pylist()
    assert sorted(both + taken(large)) == list(range(20))


def test_rows_that_repeat_train_dev_test_or_each_other_do_not_count(prepare):
    texts = list(TEXTS)
    texts[15] = "A18."  # a train row
    texts[1] = "A10."  # comes after 10 in the order
    files = {
        "train.tsv": pairs(texts),
        "dev.tsv": pairs(["other", "A12."]),
        "test.tsv": unlabelled(["A5.", "another"]),
    }
    prepared = prepare("rte", files, {"source": "rest", "rows": 2}, train=5, dev=1, test=1)
    everything = prepare("rte", files, {"source": "rest"}, train=5, dev=1, test=1)
    assert taken(everything) == [0, 2, 3, 6, 7, 10, 13, 14, 16, 17, 19]
    assert 10 in taken(prepared)
    assert set(taken(prepared)) < set(taken(everything))
    for each in (prepared, everything):
        assert each.transfer.metadata["transfer"] == {
            "source": "rest",
            "file": None,
            "duplicates": 2,
            "held_out": 2,
        }
        assert each.held_out == (
            "rte/transfer/rest/5 is rte/test/0, rte/transfer/rest/12 is rte/dev/1"
        )


def test_only_the_first_held_out_rows_are_named(prepare):
    files = {"train.tsv": pairs(TEXTS), "dev.tsv": pairs(TEXTS[:8])}
    held_out = prepare("rte", files, {"source": "rest"}, train=5).held_out
    assert held_out.startswith("rte/transfer/rest/0 is rte/dev/0, ")
    assert held_out.count(" is ") == 5
    assert held_out.endswith(", and 2 more")  # of eight, 4 is a train row


def test_metadata_is_that_of_the_task_with_counts_of_its_own(prepare):
    files = {"train.tsv": pairs(TEXTS)}
    prepared = prepare("rte", files, {"source": "rest", "rows": 3}, train=5)
    train = prepared.splits["train"].metadata
    assert dict(prepared.transfer.metadata) == {
        **train,
        "split": "transfer",
        "source_rows": 15,
        "official_rows": None,
        "partial": False,
        "cap": 3,
        "transfer": {"source": "rest", "file": None, "duplicates": 0, "held_out": 0},
    }
    assert not prepared.transfer.known.any()
    assert prepared.held_out == ""
    assert prepared.transfer.task.labels == prepared.task.labels


def test_test_rows_are_taken_whatever_their_cap_and_dev_rows_left_out(prepare):
    files = {
        "train.tsv": pairs(["A.", "B."]),
        "dev.tsv": pairs(["C."]),
        "test.tsv": unlabelled(["D.", "C.", "A.", "D.", "E."]),
    }
    prepared = prepare("rte", files, {"source": "test"}, test=1)
    # The order takes the second D. before the first or after it, but one of them only.
    assert sorted(set(taken(prepared)) - {0, 3}) == [4]
    assert len(taken(prepared)) == 2
    assert prepared.transfer.metadata["source_rows"] == 5
    counts = prepared.transfer.metadata["transfer"]
    assert (counts["duplicates"], counts["held_out"]) == (2, 1)
    assert len(prepared.splits["test"]) == 1


def test_test_rows_of_mnli_are_those_of_both_test_splits(prepare):
    columns = b"sentence1\tsentence2\tgold_label"
    gold = pairs(["A."], b"\tneutral", columns)
    files = {layouts.tsv_name(s): gold for s in ("train", "dev_matched", "dev_mismatched")}
    files |= {
        "train.tsv": pairs(["T."], b"\tneutral", columns),
        layouts.tsv_name("test_matched"): unlabelled(["A.", "B.", "C."]),
        layouts.tsv_name("test_mismatched"): unlabelled(["D.", "X."]),
        layouts.tsv_name("ax"): unlabelled(["X."]),
    }
    prepared = prepare("mnli", files, {"source": "test"})
    assert taken(prepared, "row_id") == [
        "mnli/transfer/test_matched/1",
        "mnli/transfer/test_matched/2",
        "mnli/transfer/test_mismatched/0",
    ]
    counts = prepared.transfer.metadata["transfer"]
    assert (counts["duplicates"], counts["held_out"]) == (0, 2)


OWN = {"title": "Own", "label": "y", "sentence1": "t"}
SCORES = CustomTask(**OWN, labels=[], metrics=["pearson"], low=-1.0, high=1.0)
CLASSES = CustomTask(**OWN, sentence2="u", labels=["no", "yes"], metrics=["accuracy"])
FILES = [
    (
        "rte",
        None,
        pairs(["A."]),
        b"sentence2\tnote\tsentence1\nY1\t1\tX1\nY2\t2\tX2\n",
        [("X1", "Y1"), ("X2", "Y2")],
    ),
    ("cola", None, b"g\t1\t\tA.\n", b'sentence1\n"X1\nX2\n', [('"X1', None), ("X2", None)]),
    (
        "stsb",
        None,
        b"sentence1\tsentence2\tscore\nA.\tB.\t2.5\n",
        b"sentence1\tsentence2\r\nX1\tY1\r\n",
        [("X1", "Y1")],
    ),
    ("scores", SCORES, b"t\ty\nA.\t0.5\n", b"t\nX1\n", [("X1", None)]),
    ("classes", CLASSES, b"t\tu\ty\nA.\tB.\tno\n", b"t\tu\nX1\tY1\n", [("X1", "Y1")]),
]


@pytest.mark.parametrize(
    ("name", "custom", "train", "content", "expected"), FILES, ids=[case[0] for case in FILES]
)
def test_a_file_has_the_tasks_text_columns(prepare, name, custom, train, content, expected):
    settings = {"source": "file", "file": "own.tsv"}
    texts = {"own.tsv": content}
    prepared = prepare(name, {"train.tsv": train}, settings, custom=custom, texts=texts)
    table = prepared.transfer.table
    columns = (table["sentence1"].to_pylist(), table["sentence2"].to_pylist())
    assert list(zip(*columns, strict=True)) == expected
    assert taken(prepared, "row_id") == [f"{name}/transfer/file/{i}" for i in range(len(expected))]
    assert table.schema == prepared.splits["train"].table.schema
    assert prepared.transfer.labels.tolist() == [0] * len(expected)
    assert prepared.transfer.metadata["transfer"]["file"] == "own.tsv"


def test_a_file_gives_no_train_row_and_no_row_twice(prepare):
    texts = {"own.tsv": b"sentence1\tsentence2\nA.\tB.\nX\tY\nX\tY\nX\tZ\n"}
    settings = {"source": "file", "file": "own.tsv"}
    prepared = prepare("rte", {"train.tsv": pairs(["A."])}, settings, texts=texts)
    assert sorted(zip(taken(prepared, "sentence1"), taken(prepared, "sentence2"), strict=True)) == [
        ("X", "Y"),
        ("X", "Z"),
    ]
    assert prepared.transfer.metadata["transfer"]["duplicates"] == 2


def test_fewer_rows_of_a_file_are_a_part_of_more(prepare):
    texts = {"own.tsv": b"sentence1\tsentence2\n" + b"".join(b"%d\tB\n" % i for i in range(50))}
    files, settings = {"train.tsv": pairs(["A."])}, {"source": "file", "file": "own.tsv"}
    few, more = (
        set(taken(prepare("rte", files, {**settings, "rows": n}, texts=texts))) for n in (10, 30)
    )
    assert (len(few), len(more)) == (10, 30)
    assert few < more


@pytest.mark.parametrize("files", [{}, {"dev.tsv": pairs(["A."])}], ids=["no files", "no train"])
def test_a_task_without_train_rows_has_no_transfer_rows(prepare, files):
    assert prepare("rte", files, {"source": "rest"}).transfer is None
