"""File names of splits."""

from __future__ import annotations

import pytest

from pipeline import layouts
from pipeline.sources import names
from pipeline.tasks import GLUE


@pytest.mark.parametrize(
    ("task", "split", "table", "path", "flat"),
    [
        ("rte", "train", "train.tsv", "rte/train", "train"),
        ("stsb", "dev", "dev.tsv", "stsb/validation", "validation"),
        ("sst2", "test", "test.tsv", "sst2/test", "test"),
        (
            "mnli",
            "dev_mismatched",
            "dev_mismatched.tsv",
            "mnli/validation_mismatched",
            "validation_mismatched",
        ),
        ("mnli", "test_matched", "test_matched.tsv", "mnli/test_matched", "test_matched"),
        ("mnli", "ax", "diagnostic.tsv", "ax/test", "ax-test"),
    ],
)
def test_names(task, split, table, path, flat):
    tail = "-00000-of-00001.parquet"
    assert names.tsv(split) == table
    assert names.hub_path(task, split) == path + tail
    assert names.parquet(task, split) == flat + tail


@pytest.mark.parametrize("task", GLUE)
def test_what_is_written_is_what_will_be_read(task):
    for split in GLUE[task].rows:
        assert names.tsv(split) == layouts.tsv_name(split)
        assert names.parquet(task, split) == layouts.hub_name(split)
