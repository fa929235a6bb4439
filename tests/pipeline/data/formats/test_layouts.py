from __future__ import annotations

import pytest

from pipeline.data.formats import layouts
from pipeline.errors import DataError
from pipeline.params.custom_tasks import CustomTask
from pipeline.tasks import GLUE

OWN = CustomTask(
    title="Own", labels=["no", "yes"], sentence1="text", label="verdict", metrics=["accuracy"]
)


def test_every_glue_task_has_a_layout_with_a_spelling_a_class():
    assert set(layouts.OFFICIAL) == set(GLUE)
    for name, layout in layouts.OFFICIAL.items():
        task = GLUE[name]
        assert layout.folder == task.title
        assert len(layout.spellings) == len(task.labels)
        assert len(layout.texts) == len(layout.hub_texts) == (2 if task.pair else 1)


@pytest.mark.parametrize("name", ["mnli", "qnli", "rte"])
def test_spelt_out_labels_are_the_canonical_names_in_the_same_order(name):
    assert layouts.OFFICIAL[name].spellings == GLUE[name].labels


def test_only_train_and_dev_rows_ask_for_a_label():
    mnli = layouts.OFFICIAL["mnli"]
    pair = ("sentence1", "sentence2")
    assert mnli.wanted("train") == mnli.wanted("dev_mismatched") == (*pair, "gold_label")
    assert mnli.wanted("test_matched") == mnli.wanted("ax") == pair


@pytest.mark.parametrize(
    ("split", "tsv", "hub"),
    [
        ("train", "train.tsv", "train-00000-of-00001.parquet"),
        ("dev", "dev.tsv", "validation-00000-of-00001.parquet"),
        ("test", "test.tsv", "test-00000-of-00001.parquet"),
        ("dev_matched", "dev_matched.tsv", "validation_matched-00000-of-00001.parquet"),
        ("test_mismatched", "test_mismatched.tsv", "test_mismatched-00000-of-00001.parquet"),
        ("ax", "diagnostic.tsv", "ax-test-00000-of-00001.parquet"),
    ],
)
def test_files_of_a_split(split, tsv, hub):
    assert (layouts.tsv_name(split), layouts.hub_name(split)) == (tsv, hub)


def test_mrpc_is_whole_only_with_the_files_of_each_split():
    assert dict(layouts.MSR_FILES) == {
        "train": ("msr_paraphrase_train.txt", "mrpc_dev_ids.tsv"),
        "dev": ("msr_paraphrase_train.txt", "mrpc_dev_ids.tsv"),
        "test": ("msr_paraphrase_test.txt",),
    }


def test_a_task_of_ones_own_takes_columns_and_classes_from_its_definition():
    task, layout = layouts.task_of("own", OWN), layouts.layout_of("own", OWN)
    assert (task.name, task.title, task.labels, task.pair) == ("own", "Own", ("no", "yes"), False)
    assert dict(task.rows) == {"train": None, "dev": None, "test": None}
    assert not task.glue
    assert layout.wanted("train") == ("text", "verdict")
    assert layout.spellings == ("no", "yes")
    assert layout.headless == {}


def test_a_task_of_ones_own_may_have_pairs_and_scores():
    own = OWN.model_copy(
        update={
            "sentence2": "other",
            "labels": [],
            "metrics": ["pearson"],
            "low": -1.0,
            "high": 1.0,
        }
    )
    task = layouts.task_of("own", own)
    assert (task.pair, task.regression, task.low, task.high) == (True, True, -1.0, 1.0)
    assert layouts.layout_of("own", own).wanted("dev") == ("text", "other", "verdict")


def test_a_name_that_is_neither_is_refused():
    with pytest.raises(DataError, match="no such task"):
        layouts.task_of("rtee", None)
