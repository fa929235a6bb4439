"""The table of pinned files."""

from __future__ import annotations

import re

from pipeline.data.sources import checksums, hub_paths, official
from pipeline.tasks import GLUE


def test_every_file_of_every_task_is_pinned_once():
    names = {name for files in official.FILES.values() for name in files}
    assert names == set(checksums.OFFICIAL)
    assert len(names) == 12
    on_hub = [hub_paths.hub_path(task, split) for task in GLUE for split in GLUE[task].rows]
    assert sorted(on_hub) == sorted(checksums.HUB)
    assert len(set(on_hub)) == len(on_hub) == 30
    assert len(checksums.PINS) == 42


def test_pins_are_distinct_and_well_formed():
    assert len({pin.sha256 for pin in checksums.PINS.values()}) == 42
    for pin in checksums.PINS.values():
        assert re.fullmatch("[0-9a-f]{64}", pin.sha256)
        assert pin.bytes > 6000


def test_known_files():
    rte = checksums.Pin(697150, "6bf86de103ecd335f3441bd43574d23fef87ecc695977a63b82d5efb206556ee")
    assert checksums.OFFICIAL["RTE.zip"] == rte
    assert checksums.HUB["rte/validation-00000-of-00001.parquet"].bytes == 69020
    assert sum(pin.bytes for pin in checksums.OFFICIAL.values()) == 376_169_247


def test_a_real_file_fits_its_pin(real_glue):
    from pipeline.data.sources.resumable_download import seen_as

    assert (
        seen_as(real_glue / "MRPC" / "mrpc_dev_ids.tsv") == checksums.OFFICIAL["mrpc_dev_ids.tsv"]
    )
    assert seen_as(real_glue / "diagnostic" / "diagnostic.tsv") == checksums.OFFICIAL["AX.tsv"]
