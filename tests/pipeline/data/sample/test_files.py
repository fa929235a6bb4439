"""The files of the sample source.

Run: pytest tests/pipeline/data/sample/test_files.py
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.data.sample.files import generate
from pipeline.errors import DataError
from pipeline.params.sources.sample import Sample
from pipeline.tasks import GLUE

MNLI = (
    "index promptID pairID genre sentence1_binary_parse sentence2_binary_parse sentence1_parse "
    "sentence2_parse sentence1 sentence2"
)
STSB = "index genre filename year old_index source1 source2 sentence1 sentence2"
MRPC = "#1 ID\t#2 ID\t#1 String\t#2 String"
TEXTS = {
    "cola": (-1, -1),
    "sst2": (0, 0),
    "mrpc": (3, 4),
    "stsb": (7, 8),
    "qqp": (3, 4),
    "mnli": (8, 9),
    "qnli": (1, 2),
    "rte": (1, 2),
    "wnli": (1, 2),
}
"""Columns of the texts in train files."""

LAYOUTS = [
    # task, file, header ("" for none), columns, BOM, final newline
    ("cola", "train.tsv", "", 4, False, True),
    ("cola", "dev.tsv", "", 4, False, False),
    ("cola", "test.tsv", "index sentence", 2, False, True),
    ("sst2", "train.tsv", "sentence label", 2, False, True),
    ("sst2", "dev.tsv", "sentence label", 2, False, True),
    ("sst2", "test.tsv", "index sentence", 2, False, True),
    ("mrpc", "train.tsv", f"Quality\t{MRPC}", 5, True, True),
    ("mrpc", "dev.tsv", f"Quality\t{MRPC}", 5, True, True),
    ("mrpc", "test.tsv", f"index\t{MRPC}", 5, False, True),
    ("stsb", "train.tsv", f"{STSB} score", 10, False, True),
    ("stsb", "dev.tsv", f"{STSB} score", 10, False, True),
    ("stsb", "test.tsv", STSB, 9, False, True),
    ("qqp", "train.tsv", "id qid1 qid2 question1 question2 is_duplicate", 6, False, True),
    ("qqp", "dev.tsv", "id qid1 qid2 question1 question2 is_duplicate", 6, False, True),
    ("qqp", "test.tsv", "id question1 question2", 3, False, True),
    ("mnli", "train.tsv", f"{MNLI} label1 gold_label", 12, False, True),
    (
        "mnli",
        "dev_matched.tsv",
        f"{MNLI} label1 label2 label3 label4 label5 gold_label",
        16,
        False,
        True,
    ),
    (
        "mnli",
        "dev_mismatched.tsv",
        f"{MNLI} label1 label2 label3 label4 label5 gold_label",
        16,
        False,
        True,
    ),
    ("mnli", "test_matched.tsv", MNLI, 10, False, True),
    ("mnli", "test_mismatched.tsv", MNLI, 10, False, True),
    ("mnli", "diagnostic.tsv", "index sentence1 sentence2", 3, False, False),
    ("qnli", "train.tsv", "index question sentence label", 4, False, True),
    ("qnli", "dev.tsv", "index question sentence label", 4, False, True),
    ("qnli", "test.tsv", "index question sentence", 3, False, True),
    ("rte", "train.tsv", "index sentence1 sentence2 label", 4, False, True),
    ("rte", "dev.tsv", "index sentence1 sentence2 label", 4, False, True),
    ("rte", "test.tsv", "index sentence1 sentence2", 3, False, True),
    ("wnli", "train.tsv", "index sentence1 sentence2 label", 4, False, True),
    ("wnli", "dev.tsv", "index sentence1 sentence2 label", 4, False, True),
    ("wnli", "test.tsv", "index sentence1 sentence2", 3, False, True),
]


@pytest.mark.parametrize(("task", "name", "header", "columns", "bom", "newline"), LAYOUTS)
def test_layout(files, cells, task, name, header, columns, bom, newline):
    contents = files(task)[name]
    rows = cells(contents)
    assert contents.startswith("\ufeff".encode()) == bom
    assert contents.endswith(b"\n") == newline
    assert not contents.endswith(b"\n\n")
    assert b"\r" not in contents
    assert {len(row) for row in rows} == {columns}
    if header:
        assert rows[0] == header.split("\t" if "\t" in header else " ")


def test_every_file_is_in_the_table(files):
    written = {(task, name) for task in GLUE for name in files(task)}
    assert written == {(task, name) for task, name, *_ in LAYOUTS}


FOLDERS = {"cola": "CoLA", "sst2": "SST-2", "mrpc": "MRPC", "stsb": "STS-B", "qqp": "QQP",
           "mnli": "MNLI", "qnli": "QNLI", "rte": "RTE", "wnli": "WNLI"}  # fmt: skip


@pytest.mark.parametrize(("task", "name"), [(task, name) for task, name, *_ in LAYOUTS])
def test_first_line_and_edges_are_those_of_the_real_file(files, cells, real_glue, task, name):
    folder = "diagnostic" if name == "diagnostic.tsv" else FOLDERS[task]
    path = real_glue / folder / name
    if not path.is_file():
        pytest.skip(f"no real {folder}/{name}")
    real, ours = path.read_bytes(), files(task)[name]
    real_rows, rows = cells(real), cells(ours)
    assert len(rows[0]) == len(real_rows[0])
    assert ours[:3] == real[:3] or "\ufeff".encode() not in (ours[:3], real[:3])
    assert ours.endswith(b"\n") == real.endswith(b"\n")
    if task != "cola" or name == "test.tsv":
        assert rows[0] == real_rows[0]


@pytest.mark.parametrize("task", GLUE)
def test_number_of_rows(files, cells, task):
    quarter = 4 if task == "wnli" else 1
    for name, contents in files(task).items():
        rows = len(cells(contents)) - (task != "cola" or name == "test.tsv")
        expected = {"train": 120, "dev": 60, "test": 40, "diagnostic": 40}
        assert rows == expected[name.split(".")[0].split("_")[0]] // quarter, name


LABELS = [
    ("cola", 1, {"0", "1"}),
    ("sst2", 1, {"0", "1"}),
    ("mrpc", 0, {"0", "1"}),
    ("qqp", -1, {"0", "1"}),
    ("mnli", -1, {"entailment", "neutral", "contradiction"}),
    ("qnli", -1, {"entailment", "not_entailment"}),
    ("rte", -1, {"entailment", "not_entailment"}),
    ("wnli", -1, {"0", "1"}),
]


@pytest.mark.parametrize(("task", "column", "labels"), LABELS)
def test_label_spellings_and_balance(files, cells, task, column, labels):
    for name, contents in files(task).items():
        if not name.startswith(("train", "dev")):
            continue
        rows = cells(contents)[task != "cola" :]
        spellings = [row[column] for row in rows]
        assert set(spellings) == labels
        assert max(spellings.count(label) for label in labels) < 0.65 * len(rows)


def test_cola_marks_bad_sentences_with_a_star(files, cells):
    marks = {(row[1], row[2]) for row in cells(files("cola")["train.tsv"])}
    assert marks == {("0", "*"), ("1", "")}


def test_sst2_sentences_end_in_a_space_where_they_have_labels(files, cells):
    assert all(row[0].endswith(" ") for row in cells(files("sst2")["train.tsv"])[1:])
    assert all(row[0].endswith(" ") for row in cells(files("sst2")["dev.tsv"])[1:])
    assert not any(row[1].endswith(" ") for row in cells(files("sst2")["test.tsv"])[1:])


def test_mnli_gold_label_is_what_most_annotators_say(files, cells):
    rows = cells(files("mnli")["dev_matched.tsv"])[1:]
    assert all(row[10:15].count(row[15]) >= 4 for row in rows)
    assert any(row[10:15].count(row[15]) == 4 for row in rows)
    assert all(row[10] == row[11] for row in cells(files("mnli")["train.tsv"])[1:])


def test_unlabelled_mnli_rows_do_not_give_the_label_away(files, cells):
    rows = cells(files("mnli")["test_matched.tsv"])[1:]
    assert all(row[2].isdigit() for row in rows)


def test_stsb_scores_lie_in_range_and_are_spelt_in_many_ways(files, cells):
    scores = [row[9] for row in cells(files("stsb")["train.tsv"])[1:]]
    assert all(0 <= float(score) <= 5 for score in scores)
    decimals = {len(score.partition(".")[2]) for score in scores}
    assert {0, 1, 2, 3, 14} <= decimals


@pytest.mark.parametrize("task", GLUE)
def test_no_row_twice_and_no_text_in_two_splits(files, cells, task):
    owners: dict[str, str] = {}
    for name, contents in files(task).items():
        header = task != "cola" or name == "test.tsv"
        first, second = TEXTS[task]
        if name in ("test.tsv", "diagnostic.tsv") and task in ("cola", "sst2", "qqp", "mnli"):
            first, second = (1, 1) if GLUE[task].pair is False else (1, 2)
        pairs = [(row[first].strip(), row[second].strip()) for row in cells(contents)[header:]]
        assert len(set(pairs)) == len(pairs)
        for text in {text for pair in pairs for text in pair}:
            assert owners.setdefault(text, name) == name


def test_most_rows_that_can_be_asked_for():
    settings = Sample(seed=11, train=2000, dev=500, test=500, label_noise=0.05)
    for task in GLUE:
        lines = generate(task, settings)["train.tsv"].count(b"\n")
        assert lines == (500 if task == "wnli" else 2000) + (task != "cola")


def test_fewest_rows_that_can_be_asked_for():
    settings = Sample(seed=11, train=20, dev=20, test=20, label_noise=0.0)
    for task in GLUE:
        assert generate(task, settings)["train.tsv"].count(b"\n") >= 5


def test_another_seed_gives_other_sentences(settings):
    other = settings.model_copy(update={"seed": 4})
    for task in GLUE:
        ours, theirs = generate(task, settings), generate(task, other)
        assert all(ours[name] != theirs[name] for name in ours)


DIGEST = """
import hashlib
from pipeline.params.sources.sample import Sample
from pipeline.data.sample.files import generate
from pipeline.tasks import GLUE
settings = Sample(seed=3, train=120, dev=60, test=40, label_noise=0.05)
for task in GLUE:
    for name, contents in generate(task, settings).items():
        print(task, name, hashlib.sha256(contents).hexdigest())
"""


@pytest.mark.parametrize("hash_seed", ["0", "12345"])
def test_same_bytes_in_another_process(files, hash_seed):
    ours = [
        f"{task} {name} {hashlib.sha256(contents).hexdigest()}"
        for task in GLUE
        for name, contents in files(task).items()
    ]
    theirs = subprocess.run(
        [sys.executable, "-c", DIGEST],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=Path(__file__).resolve().parents[4],
        capture_output=True,
        text=True,
        check=True,
    )
    assert theirs.stdout.splitlines() == ours


def test_a_task_that_is_not_glues_is_refused(settings):
    with pytest.raises(DataError, match="no such task") as error:
        generate("tweets", settings)
    assert error.value.seen == "tweets"
    assert "local" in str(error.value.fix)
