"""Paths of splits in the Hub's data set."""

from __future__ import annotations

import pytest

from pipeline.data.formats import layouts
from pipeline.data.sources import hub_paths
from pipeline.data.sources.checksums import HUB
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
    assert hub_paths.hub_path(task, split) == f"{path}-00000-of-00001.parquet"


@pytest.mark.parametrize("task", GLUE)
def test_every_split_is_pinned_and_keeps_its_name(task):
    for split in GLUE[task].rows:
        path = hub_paths.hub_path(task, split)
        assert path in HUB
        assert path.replace("/", "-").endswith(layouts.hub_name(split))
