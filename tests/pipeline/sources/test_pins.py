"""The table of pinned files."""

from __future__ import annotations

import re

from pipeline.sources import names, official, pins
from pipeline.tasks import GLUE


def test_every_file_of_every_task_is_pinned_once():
    wanted = {name for files in official.FILES.values() for name in files}
    assert wanted == set(pins.OFFICIAL)
    assert len(wanted) == 12
    on_hub = [names.hub_path(task, split) for task in GLUE for split in GLUE[task].rows]
    assert sorted(on_hub) == sorted(pins.HUB)
    assert len(set(on_hub)) == len(on_hub) == 30
    assert len(pins.PINS) == 42


def test_pins_are_distinct_and_well_formed():
    assert len({pin.sha256 for pin in pins.PINS.values()}) == 42
    for pin in pins.PINS.values():
        assert re.fullmatch("[0-9a-f]{64}", pin.sha256)
        assert pin.bytes > 6000


def test_known_files():
    rte = pins.Pin(697150, "6bf86de103ecd335f3441bd43574d23fef87ecc695977a63b82d5efb206556ee")
    assert pins.OFFICIAL["RTE.zip"] == rte
    assert pins.HUB["rte/validation-00000-of-00001.parquet"].bytes == 69020
    assert sum(pin.bytes for pin in pins.OFFICIAL.values()) == 376_169_247


def test_a_real_file_fits_its_pin(real_glue):
    from pipeline.sources.partial import seen_as

    assert seen_as(real_glue / "MRPC" / "mrpc_dev_ids.tsv") == pins.OFFICIAL["mrpc_dev_ids.tsv"]
    assert seen_as(real_glue / "diagnostic" / "diagnostic.tsv") == pins.OFFICIAL["AX.tsv"]
