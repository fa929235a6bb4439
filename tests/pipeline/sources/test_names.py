"""Paths of splits in the Hub's data set."""

from __future__ import annotations

import pytest

from pipeline.preparation import layouts
from pipeline.sources import names
from pipeline.sources.pins import HUB
from pipeline.tasks import GLUE


@pytest.mark.parametrize(
    ("task", "split", "path"),
    [
        ("rte", "train", "rte/train"),
        ("stsb", "dev", "stsb/validation"),
        ("sst2", "test", "sst2/test"),
        ("mnli", "dev_mismatched", "mnli/validation_mismatched"),
        ("mnli", "test_matched", "mnli/test_matched"),
        ("mnli", "ax", "ax/test"),
    ],
)
def test_hub_path(task, split, path):
    assert names.hub_path(task, split) == f"{path}-00000-of-00001.parquet"


@pytest.mark.parametrize("task", GLUE)
def test_every_split_is_pinned_and_keeps_its_name(task):
    for split in GLUE[task].rows:
        path = names.hub_path(task, split)
        assert path in HUB
        assert path.replace("/", "-").endswith(layouts.hub_name(split))
