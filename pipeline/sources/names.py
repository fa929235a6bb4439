"""File names of splits, in the official layout and in the Hub's."""

from __future__ import annotations

from pipeline.sources.pins import hub_file

AX = "ax"  # the diagnostic set: a split of MNLI here, a folder of its own in every source


def tsv(split: str) -> str:
    """Name of a split's table in the official layout."""
    return "diagnostic.tsv" if split == AX else f"{split}.tsv"


def hub_path(task: str, split: str) -> str:
    """Path of a split's file in the Hub's data set, where `dev` is `validation`."""
    if split == AX:
        return hub_file("ax", "test")
    return hub_file(task, split.replace("dev", "validation", 1))


def parquet(task: str, split: str) -> str:
    """Flat name of a split's Parquet file in a raw folder."""
    path = hub_path(task, split)
    return path.replace("/", "-") if split == AX else path.partition("/")[2]
